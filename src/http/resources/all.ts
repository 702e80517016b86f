import type { Operation } from '../operation.ts';
import { analytics } from './analytics.ts';
import { audit } from './audit.ts';
import { deadLettersOperations } from './dead-letters.ts';
import { events } from './events.ts';
import { flows } from './flows.ts';
import { health } from './health.ts';
import { jobActions } from './job-actions.ts';
import { jobsMade } from './job-creation.ts';
import { jobs } from './jobs.ts';
import { me } from './me.ts';
import { metrics } from './metrics.ts';
import { overview } from './overview.ts';
import { queues } from './queues.ts';
import { reportsOperations } from './reports.ts';
import { runActions } from './run-actions.ts';
import { runs } from './runs.ts';
import { scheduleActions } from './schedule-actions.ts';
import { schedules } from './schedules.ts';
import { tasks } from './tasks.ts';
import { traces } from './traces.ts';
import { workers } from './workers.ts';

/** Every operation of the API. */
export const OPERATIONS: readonly Operation[] = [
  ...me,
  ...overview,
  ...tasks,
  ...jobs,
  ...jobsMade,
  ...jobActions,
  ...flows,
  ...runs,
  ...runActions,
  ...schedules,
  ...scheduleActions,
  ...queues,
  ...workers,
  ...deadLettersOperations,
  ...analytics,
  ...audit,
  ...reportsOperations,
  ...traces,
  ...events,
  ...health,
  ...metrics,
];
