import type { ComponentType } from 'preact';
import { Empty, Screen } from './parts.tsx';
import type { Route } from './route.ts';
import { AuditScreen } from './screens/audit.tsx';
import { CompareScreen } from './screens/compare.tsx';
import { DeadLettersScreen } from './screens/dead-letters.tsx';
import { JobScreen } from './screens/job.tsx';
import { JobsScreen } from './screens/jobs.tsx';
import { OverviewScreen } from './screens/overview.tsx';
import { QueuesScreen } from './screens/queues.tsx';
import { ReportScreen } from './screens/report.tsx';
import { ReportsScreen } from './screens/reports.tsx';
import { RunScreen } from './screens/run.tsx';
import { RunsScreen } from './screens/runs.tsx';
import { ScheduleScreen } from './screens/schedule.tsx';
import { SchedulesScreen } from './screens/schedules.tsx';
import { TraceScreen } from './screens/trace.tsx';
import { WorkersScreen } from './screens/workers.tsx';

/** Which screen an address names. `key` goes there after `g`. */
export const PLACES = [
  { name: 'overview', label: 'Overview', key: 'o' },
  { name: 'jobs', label: 'Jobs', key: 'j' },
  { name: 'runs', label: 'Runs', key: 'r' },
  { name: 'schedules', label: 'Schedules', key: 's' },
  { name: 'queues', label: 'Queues', key: 'q' },
  { name: 'workers', label: 'Workers', key: 'w' },
  { name: 'dead-letters', label: 'Dead letters', key: 'd' },
  { name: 'audit', label: 'Audit', key: 'a' },
  { name: 'reports', label: 'Reports', key: 'b' },
] as const;

type ScreenOf = ComponentType<{ route: Route }>;

const LISTS: Readonly<Record<string, ScreenOf>> = {
  overview: OverviewScreen,
  jobs: JobsScreen,
  runs: RunsScreen,
  schedules: SchedulesScreen,
  queues: QueuesScreen,
  workers: WorkersScreen,
  'dead-letters': DeadLettersScreen,
  audit: AuditScreen,
  reports: ReportsScreen,
};

const SINGLE: Readonly<Record<string, ScreenOf>> = {
  jobs: JobScreen,
  runs: RunScreen,
  schedules: ScheduleScreen,
  reports: ReportScreen,
  traces: TraceScreen,
  compare: CompareScreen,
};

export function screenOf([place = 'overview', id]: readonly string[]): ScreenOf {
  const found = id === undefined ? LISTS : SINGLE;
  return Object.hasOwn(found, place) ? (found[place] as ScreenOf) : Unknown;
}

function Unknown() {
  return (
    <Screen title="Nothing here">
      <Empty>This address names no screen.</Empty>
    </Screen>
  );
}
