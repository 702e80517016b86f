import type { AttemptError } from '../core/errors.ts';
import type { EnqueueReceipt, JobSpec, Settlement, SettleReceipt, Timed } from './spec.ts';

/**
 * Plans: small versioned documents beside the jobs, such as the run of a flow or a schedule. The part of the contract that
 * flows and schedules stand on. A job may name a plan it reports to (`JobSpec.plan`). Whenever such a job ends, in whatever
 * way, the store adds one report to that plan in the same commit. Reports are only ever added and taken, so ten thousand
 * ends at a time do not fight over one row.
 *
 * Who plans reads a plan with its reports, decides (core/flow/decide.ts), and commits the next value together with the jobs
 * that follow, on condition that the plan still is at the version that was read. Who loses that race decides anew.
 */
export interface PlanStore {
  /**
   * Applies units in order, in one transaction. Each is applied whole or not at all, and none keeps another from being
   * applied.
   */
  commit(units: readonly Unit[], options?: Timed): Promise<UnitReceipt[]>;
  /** Plans that wait to be decided on; see DueRequest. */
  duePlans(request: DueRequest): Promise<DueReceipt>;
  /** A plan as it is, with the kept texts of these names, or those of all; null when there is no such plan. */
  plan(key: string, kept?: readonly string[] | 'all'): Promise<PlanRecord | null>;
  /** Newest first. Throws OPTION_INVALID for a cursor it did not give. */
  listPlans(filter: PlanFilter): Promise<PlanPage>;
}

/**
 * What belongs together. A unit is left out when its outcome is lost (`lost`) or a plan is not at its version (`conflict`):
 * then nothing of it is written.
 */
export interface Unit {
  readonly settle?: Settlement;
  readonly enqueue?: readonly JobSpec[];
  readonly plans?: readonly PlanChange[];
  /** To plans of any version; one whose plan does not exist is dropped. */
  readonly reports?: readonly NewReport[];
}

export interface PlanChange {
  /** 1 to 300 characters. */
  readonly key: string;
  /** `run`, `schedule` and the like: what `listPlans` goes by. */
  readonly kind: string;
  /** Within its kind: the flow's name, for example. */
  readonly label: string;
  readonly state: string;
  /** The version the plan must be at; 0 for one that must not exist yet. It is one more afterwards. */
  readonly version: number;
  /** JSON text; null deletes the plan, its kept texts and its reports. */
  readonly value: string | null;
  /** When to decide although nothing was reported, in ms since the epoch; null = only then. */
  readonly wakeAt: number | null;
  /** From when on `prune` deletes it; null = never. */
  readonly expiresAt: number | null;
  /** Numbers of the reports this change took in: they are deleted. */
  readonly taken?: readonly number[];
  /** Texts to keep beside the value; one of a name that is kept already replaces it, null removes it. */
  readonly keep?: readonly KeptText[];
}

export interface KeptText {
  /** 1 to 300 characters. */
  readonly name: string;
  readonly text: string | null;
}

/** A report that no job's end makes, such as a signal. */
export interface NewReport {
  readonly plan: string;
  readonly as: string;
  readonly state: ReportState;
  readonly result: string | null;
  readonly error: AttemptError | null;
}

/** The first three: how a job ended; one that was removed or cleared before it ended counts as `cancelled`. */
export type ReportState = 'completed' | 'failed' | 'cancelled' | 'told';

export interface Report extends NewReport {
  /** Grows with every report of a store, and is never given twice. */
  readonly no: number;
  /** The job that ended; null where no job did. */
  readonly job: string | null;
  readonly attempt: number;
  readonly startedAt: number | null;
  readonly at: number;
}

export interface UnitReceipt {
  readonly status: 'committed' | 'lost' | 'conflict';
  /** Present where the unit has an outcome. */
  readonly settled?: SettleReceipt;
  /** In the order of `enqueue`; empty unless committed. */
  readonly enqueued: readonly EnqueueReceipt[];
  /** Whether the plan of each report exists; empty unless committed. */
  readonly reported: readonly boolean[];
}

/**
 * Without `keys`: plans with a report older than `graceMs`, or whose `wakeAt` has come; those that wait longest first. With
 * `keys`: these plans, whether or not they are due, in that order, unknown ones left out.
 */
export interface DueRequest extends Timed {
  readonly keys?: readonly string[];
  /** At most this many plans. */
  readonly limit: number;
  /** Whoever settled a job plans at once; others wait so long for it. Default 0. */
  readonly graceMs?: number;
}

/** Reports of a plan in one answer, and characters of results in the answer of a call, apart from a first report of each plan. */
export const REPORTS_MAX = 1_000;
export const REPORT_CHARS_MAX = 8_388_608;

export interface DueReceipt {
  readonly now: number;
  readonly plans: readonly DuePlan[];
  /** The earliest `wakeAt` of all plans that lies ahead; null when there is none. Only without `keys`. */
  readonly nextWakeAt: number | null;
}

export interface PlanRecord {
  readonly key: string;
  readonly kind: string;
  readonly label: string;
  readonly state: string;
  readonly version: number;
  readonly value: string;
  readonly wakeAt: number | null;
  readonly expiresAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The kept texts that were asked for and are there. */
  readonly kept: Readonly<Record<string, string>>;
}

export interface DuePlan extends PlanRecord {
  /** By `no`, at most REPORTS_MAX. */
  readonly reports: readonly Report[];
  /** There are more reports. */
  readonly more: boolean;
}

export interface PlanFilter {
  readonly kind: string;
  readonly label?: string;
  readonly states?: readonly string[];
  readonly limit: number;
  readonly cursor?: string;
}

export interface PlanPage {
  readonly plans: readonly PlanRecord[];
  readonly cursor: string | null;
}
