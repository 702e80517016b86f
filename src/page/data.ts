/** What the API answers, by the very schemas that it is checked with. */
import type { Static } from 'typebox';
import type { GroupForm } from '../http/resources/dead-letters.ts';
import type { JobForm, JobItemForm } from '../http/resources/job-view.ts';
import type { MeForm } from '../http/resources/me.ts';
import type { OverviewForm, RatesForm } from '../http/resources/overview.ts';
import type { CountsForm, QueueForm } from '../http/resources/queues.ts';
import type { RunForm, RunSummaryForm } from '../http/resources/run-view.ts';
import type { ScheduleForm, ScheduleSummaryForm } from '../http/resources/schedule-view.ts';
import type { TraceForm } from '../http/resources/traces.ts';
import type { WorkerForm } from '../http/resources/workers.ts';

export type Me = Static<typeof MeForm>;
export type Role = Me['role'];
export type Overview = Static<typeof OverviewForm>;
export type Rates = Static<typeof RatesForm>;
export type Counts = Static<typeof CountsForm>;
export type Job = Static<typeof JobForm>;
export type JobItem = Static<typeof JobItemForm>;
export type Run = Static<typeof RunForm>;
export type RunSummary = Static<typeof RunSummaryForm>;
export type Step = Run['steps'][number];
export type Queue = Static<typeof QueueForm>;
export type Worker = Static<typeof WorkerForm>;
export type Schedule = Static<typeof ScheduleForm>;
export type ScheduleSummary = Static<typeof ScheduleSummaryForm>;
export type Trace = Static<typeof TraceForm>;
export type Group = Static<typeof GroupForm>;

export interface Point {
  readonly at: number;
  readonly counts: Counts;
  readonly rates: Rates;
}

export interface Reason {
  readonly code: string;
  readonly text: string;
  readonly until: number | null;
}

export interface AuditEntry {
  readonly at: number;
  readonly by: string;
  readonly action: string;
  readonly target: string | null;
  readonly why: string | null;
  readonly details: unknown;
}
