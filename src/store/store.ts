import type { Ageing } from '../core/ageing.ts';
import type { Clock } from '../core/clock.ts';
import type { AttemptError } from '../core/errors.ts';
import type { AuditEntry, Job, LogLine } from '../core/job.ts';
import type { JobState, TerminalState } from '../core/job-state.ts';
import type { LimitsChange, QueueLimits } from '../core/limits.ts';
import type { LeaseLock } from './lease-lock.ts';
import type { Notifier } from './notifier.ts';
import type { PlanStore } from './plans.ts';
import type { EnqueueReceipt, JobSpec, Note, Settlement, SettleReceipt, Timed } from './spec.ts';
import type { Transactions } from './transactions.ts';

/**
 * THE store contract: where jobs live. Batch-first, free of any driver's types.
 *
 * What each verb guarantees stands in docs/store-contract.md, and the conformance suite (longshore/testing) tests
 * exactly that. Rules that hold for all verbs:
 * - A verb is atomic: all of its effects are durable when its promise resolves, or none happened and it rejects
 *   with a LongshoreError. A batch is one transaction; an item that cannot be applied is reported in its receipt.
 * - `now` (ms since the epoch) is the store's own clock unless given.
 * - Receipts stand in the order of the request.
 * - Verbs called in one tick of the event loop may share a round trip and a commit; they apply in call order.
 */
export interface Store extends PlanStore {
  readonly capabilities: Capabilities;
  /** What its user should know although it works, such as a server that keeps nothing on its disk: known once it is open. */
  readonly warnings?: readonly string[];
  readonly notifier: Notifier;
  readonly lock: LeaseLock;
  /** Completing jobs in transactions of the caller's; null without the capability `transactions`. */
  readonly transactions: Transactions | null;

  // Jobs in, jobs out
  enqueue(specs: readonly JobSpec[], options?: EnqueueCall): Promise<EnqueueReceipt[]>;
  claim(request: ClaimRequest): Promise<ClaimReceipt>;
  settle(settlements: readonly Settlement[], options?: Timed): Promise<SettleReceipt[]>;
  /** Adds progress and log lines to running jobs, fenced like settle. */
  annotate(notes: readonly Note[], options?: Timed): Promise<AnnotateReceipt[]>;

  // Leases and workers
  /** Marks the worker alive and renews every lease it holds, also one that expired and was not taken back yet. */
  beat(beat: WorkerBeat): Promise<BeatReceipt>;
  /** Beats for a worker at an interval, on a thread that runs no handler wherever the store spans processes. */
  keepAlive(options: KeepAliveOptions): KeepAlive;
  /**
   * Gives back, uncharged, jobs that their worker holds without knowing of them, since the answer of their claim did not reach
   * it. Beats would renew their leases for ever. Those claimed at `before` or later stay, and those it does not hold.
   */
  disown(request: DisownRequest): Promise<GivenBack[]>;
  /** Removes the worker from the registry and gives back, uncharged, whatever it still holds. */
  retire(workerId: string, options?: Timed): Promise<GivenBack[]>;
  workers(options?: Timed): Promise<WorkerRecord[]>;

  // Maintenance
  /** Takes back the leases whose time has come, `leaseExpiresAt <= now` (see core/settle-rule.ts `expire`). */
  reap(request?: ReapRequest): Promise<ReapReceipt>;
  /**
   * Deletes finished jobs beyond their queue's retention, the oldest first, unique keys that nobody holds, and workers
   * that hold nothing and have been dead for WORKER_KEPT_MS.
   */
  prune(request?: PruneRequest): Promise<PruneReceipt>;
  /** Sweeps the queues whose ageing is due (core/ageing.ts), in batches: call it again while there is `more`. */
  age(request?: AgeRequest): Promise<AgeReceipt>;

  // Queues
  /** The name `*` stands for all queues: while it is paused nothing is claimed anywhere. Its limits mean nothing. */
  configureQueue(queue: string, change: QueueChange, options?: Timed): Promise<QueueSettings>;
  /** Every queue that has settings or jobs, by name. */
  queues(): Promise<QueueRecord[]>;
  /** Deletes the queue's jobs in `states`. Running jobs are deleted too when listed: their outcomes will be lost. */
  clear(queue: string, states: readonly JobState[]): Promise<number>;

  // Single jobs
  /** Operator actions; each is refused where the transition table does not allow it, and audited where it applies. */
  control(commands: readonly JobCommand[], options?: Timed): Promise<ControlReceipt[]>;
  get(ids: readonly string[]): Promise<(Job | null)[]>;
  /** Newest first (descending seq). Throws OPTION_INVALID for a cursor it did not give. */
  list(filter: JobFilter): Promise<JobPage>;
  /** Errors of every attempt, log lines and audit entries of one job, oldest first; null when there is no such job. */
  trail(id: string): Promise<JobTrail | null>;

  close(): Promise<void>;
}

export type { EnqueueReceipt, JobSpec, Note, Settlement, SettleReceipt, Timed } from './spec.ts';

/** What a store can do, as data: the suite and the docs read it, and never a store's name. */
export interface Capabilities {
  /** Survives the end of the process. */
  readonly durable: boolean;
  /** Several processes may open it at once. */
  readonly shared: boolean;
  /** Hints reach other processes without polling. */
  readonly notify: boolean;
  /** Finished jobs can be kept up to a number of bytes (`Keep.bytes`). */
  readonly retentionBytes: boolean;
  /** Calls of different turns of the event loop are carried out side by side: to settle and to claim at a time gains. */
  readonly parallel: boolean;
  /** Enqueues and completes jobs inside a transaction of the caller's own (EnqueueCall.tx, transactions.ts). */
  readonly transactions: boolean;
  /** Keeps plans and reports (plans.ts), on which flows and schedules stand. */
  readonly plans: boolean;
}

// ── enqueue ────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface EnqueueCall extends Timed {
  /**
   * A transaction on the same database that the caller opened and will end, as its own driver hands it out: the jobs
   * are written in it, and exist exactly if it commits. Throws OPTION_INVALID for what the store does not understand;
   * errors of the driver pass as they are. Given only to a store with the capability `transactions`.
   */
  readonly tx?: unknown;
}

// ── claim and settle ───────────────────────────────────────────────────────────────────────────────────────────────

export interface ClaimRequest {
  readonly workerId: string;
  /** Looked at in this order; paused ones are passed over. */
  readonly queues: readonly string[];
  /** At most this many jobs. */
  readonly limit: number;
  readonly leaseMs: number;
  readonly now?: number;
}

export interface ClaimReceipt {
  /** Store time of the claim. `nextDueAt - now` is how long to wait, whatever the claimer's own clock says. */
  readonly now: number;
  /**
   * By queue as requested, then priority, then place in the line: seq, or for a job that was held, the number it was
   * given when its key's turn came. Due jobs are promoted by the claim itself. Never more than the queue's limits allow.
   */
  readonly leases: Lease[];
  /**
   * When the earliest scheduled job of these queues (paused ones aside) becomes due, or the rate of a queue whose ready
   * jobs wait for it has room again; null when there is neither.
   */
  readonly nextDueAt: number | null;
}

/** A claimed job. The hot path's value: only what running it needs. */
export interface Lease {
  readonly id: string;
  /** Opaque fencing token; changes at every claim. */
  readonly token: string;
  /** Store time of the claim. */
  readonly claimedAt: number;
  readonly queue: string;
  readonly task: string;
  readonly key: string | null;
  readonly input: string | null;
  readonly meta: string | null;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly crashes: number;
  readonly priority: number;
  readonly createdAt: number;
  /** When the job became claimable; `claimedAt - dueAt` is its waiting time. */
  readonly dueAt: number;
}

export type AnnotateReceipt = 'noted' | 'lost';

// ── leases and workers ─────────────────────────────────────────────────────────────────────────────────────────────

export interface WorkerInfo {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Of the longshore package. */
  readonly version: string;
  readonly tasks: readonly string[];
  readonly queues: readonly string[];
  readonly startedAt: number;
}

export interface WorkerLoad {
  readonly slots: number;
  readonly slotsUsed: number;
  /** Where its tasks run now; at most PROFILES_MAX of them. */
  readonly profiles: readonly TaskProfile[];
}

export const PROFILES_MAX = 100;

/** Where a worker runs the jobs of a task, and why. */
export interface TaskProfile {
  readonly task: string;
  /** `inline`, `thread` or `process`. */
  readonly lane: string;
  /** At most 200 characters. */
  readonly reason: string;
  /** Jobs that were measured; the times are their moving averages. */
  readonly samples: number;
  readonly busyMs: number;
  readonly wallMs: number;
}

export interface WorkerBeat extends Timed {
  readonly worker: WorkerInfo;
  readonly load: WorkerLoad;
  readonly leaseMs: number;
}

export interface BeatReceipt {
  /** Store time of the beat. */
  readonly now: number;
  /** Jobs held by the worker whose cancellation was asked for. */
  readonly cancelled: readonly string[];
  /** Jobs the worker holds as far as the store knows; one claimed before `now` and absent here was lost. */
  readonly held: readonly string[];
  /** Queues of the worker that are paused now: all of them while `*` is. */
  readonly paused: readonly string[];
}

export interface DisownRequest extends Timed {
  readonly workerId: string;
  /** Ids. */
  readonly jobs: readonly string[];
  /** Store time of the beat that told of them. */
  readonly before: number;
}

/** A job that left its worker. It is `ready`, or `cancelled`: that was asked for, or its unique key went to another job. */
export interface GivenBack {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly attempt: number;
  readonly state: JobState;
}

export interface KeepAliveOptions {
  readonly worker: WorkerInfo;
  readonly leaseMs: number;
  readonly intervalMs: number;
  /** Called on the caller's thread after each beat. */
  readonly onBeat: (receipt: BeatReceipt) => void;
  readonly onError: (error: unknown) => void;
}

export interface KeepAlive {
  /** What the next beats report. */
  update(load: WorkerLoad): void;
  /** Beats now; resolves when the beat is in the store and `onBeat` was called. */
  beat(): Promise<void>;
  close(): Promise<void>;
}

export interface WorkerRecord extends WorkerInfo, WorkerLoad {
  readonly seenAt: number;
  /** Jobs it holds. */
  readonly running: number;
  /** False once its lease time passed without a beat. */
  readonly alive: boolean;
}

// ── maintenance ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ReapRequest extends Timed {
  /** Leases a job may lose before it fails; default 3. */
  readonly crashesMax?: number;
}

export interface ReapReceipt {
  readonly reaped: readonly {
    readonly id: string;
    readonly queue: string;
    readonly task: string;
    readonly state: JobState;
    readonly attempt: number;
    readonly crashes: number;
    readonly error: AttemptError;
  }[];
  /** Jobs that could not be read and became dead letters since the last call; absent where there are none. */
  readonly damaged?: readonly DamagedJob[];
}

export interface DamagedJob {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly error: AttemptError;
}

export interface PruneRequest extends Timed {
  /** At most this many jobs in one call; default 10,000. */
  readonly limit?: number;
}

/** How long a dead worker is still shown. */
export const WORKER_KEPT_MS = 3_600_000;

export interface PruneReceipt {
  readonly jobs: number;
  readonly workers: number;
  /** True when the limit stopped it. */
  readonly more: boolean;
}

export interface AgeRequest extends Timed {
  /** At most this many jobs in one call; default AGE_LIMIT_DEFAULT. */
  readonly limit?: number;
}

export const AGE_LIMIT_DEFAULT = 5_000;

export interface AgeReceipt {
  /** Jobs whose priority was lowered. */
  readonly aged: number;
  /** True when the limit stopped it. */
  readonly more: boolean;
  /** Milliseconds until a sweep is due or goes on; null when no queue has ageing. */
  readonly nextMs: number | null;
}

// ── queues ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How long and how many finished jobs are kept. 0 in any keeps nothing; null sets no bound. */
export interface Keep {
  readonly ageMs: number | null;
  readonly count: number | null;
  /**
   * Sum of the sizes of the jobs' records as the store keeps them, payloads included and trails aside, for one queue and
   * state. Absent = no bound. Only where `capabilities.retentionBytes`.
   */
  readonly bytes?: number | null;
}

export type Retention = Readonly<Record<TerminalState, Keep>>;

export const RETENTION_DEFAULT: Retention = {
  completed: { ageMs: 7 * 86_400_000, count: 1_000_000 },
  failed: { ageMs: 90 * 86_400_000, count: 1_000_000 },
  cancelled: { ageMs: 7 * 86_400_000, count: 1_000_000 },
};

export interface QueueSettings {
  readonly name: string;
  readonly pausedAt: number | null;
  readonly retention: Retention;
  /** LIMITS_NONE unless configured. */
  readonly limits: QueueLimits;
  /** Null unless configured. */
  readonly ageing: Ageing | null;
}

export interface QueueChange {
  readonly paused?: boolean;
  readonly retention?: Partial<Retention>;
  /** What is absent stays (core/limits.ts `changeLimits`, which may throw OPTION_INVALID). Takes effect for new claims. */
  readonly limits?: LimitsChange;
  /** Null ends it. The first sweep comes `everyMs` after it was set. Throws OPTION_INVALID. */
  readonly ageing?: Ageing | null;
}

export interface QueueRecord extends QueueSettings {
  readonly counts: Readonly<Record<JobState, number>>;
  /**
   * For how long the job that has waited longest is claimable, ms; null when none is. Of each line at least the first
   * OLDEST_AMONG jobs are looked at: behind them, one that waits longer may stand where others were retried.
   */
  readonly oldestReadyMs: number | null;
}

export const OLDEST_AMONG = 20;

// ── single jobs ────────────────────────────────────────────────────────────────────────────────────────────────────

interface Command {
  readonly id: string;
  /** Who asks; kept in the audit trail. */
  readonly by: string;
  readonly why: string | null;
}

export type JobCommand =
  /** Waiting jobs become `cancelled`; a running one is asked to stop and becomes `cancelled` when it does. */
  | (Command & { readonly type: 'cancel' })
  /** Back to `ready` with attempts and crashes counted from 0 again; errors are kept. */
  | (Command & { readonly type: 'redrive' })
  /** A failed job counts as completed, with this encoded result. */
  | (Command & { readonly type: 'resolve'; readonly result: string | null })
  /** Another time for a scheduled or ready job; a past time makes it ready now. */
  | (Command & { readonly type: 'reschedule'; readonly dueAt: number })
  /** Another priority for a waiting job. */
  | (Command & { readonly type: 'reprioritize'; readonly priority: number })
  /** Another encoded input for a waiting job; a unique key made of the old one stays. */
  | (Command & { readonly type: 'edit'; readonly input: string | null })
  /** Deletes a job that is not running, with its trail. */
  | (Command & { readonly type: 'remove' });

/** `done`; `requested` (cancel of a running job); `refused`: its state does not allow it; `unknown`: no such job. */
export interface ControlReceipt {
  readonly status: 'done' | 'requested' | 'refused' | 'unknown';
  /** After the command; null when removed or unknown. */
  readonly state: JobState | null;
}

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly queue?: string;
  readonly task?: string;
  /** Jobs whose meta has it, and the job of this id unless its meta has another one (core/terms.ts). */
  readonly correlationId?: string;
  readonly tag?: string;
  readonly limit: number;
  /** From the page before. */
  readonly cursor?: string;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  /** Opaque; null on the last page. */
  readonly cursor: string | null;
}

/** Bounded by core/trail.ts, audit aside. */
export interface JobTrail {
  readonly errors: readonly AttemptError[];
  /** Left out between the first errors and the last. */
  readonly errorsOmitted: number;
  readonly logs: readonly LogLine[];
  /** Left out before the first of `logs`. */
  readonly logsOmitted: number;
  readonly audit: readonly AuditEntry[];
}

// ── opening ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How a kind of store is opened and looked after; one per store folder. */
export interface StoreDriver {
  /** Understands `StoreOptions.client`; others are not given one. */
  readonly borrows?: true;
  /** Throws STORE_URL_INVALID, STORE_UNAVAILABLE, STORE_READ_ONLY, STORE_CORRUPT, STORE_NEWER, STORE_OUTDATED. */
  open(url: string, options: StoreOptions): Promise<Store>;
  /** Brings the store's layout up to date; `dryRun` only says what it would do. */
  migrate(url: string, options: { readonly dryRun: boolean }): Promise<MigrationReport>;
  /** Looks for what may be wrong. Changes nothing unless asked to repair. */
  doctor(url: string, options?: DoctorOptions): Promise<Finding[]>;
}

export interface DoctorOptions {
  /**
   * Mends what can be mended without losing a job, while workers go on; each check in a transaction of its own. A finding
   * that was mended says `repaired`.
   */
  readonly repair: boolean;
}

export interface StoreOptions {
  /** Default: the machine's clock, read where the store runs. */
  readonly clock?: Clock;
  /** A pool of the store's own driver to borrow connections from; never closed. */
  readonly client?: unknown;
}

export interface MigrationReport {
  /** Layout version found; 0 for a new store. */
  readonly from: number;
  readonly to: number;
  readonly steps: readonly { readonly version: number; readonly name: string; readonly applied: boolean }[];
}

export interface Finding {
  readonly check: string;
  /** `note`: worth knowing, and may be as it should be; `fault`: something is wrong with the store itself. */
  readonly level: 'ok' | 'note' | 'fault';
  readonly detail: string;
  /** What to do; null when ok, or where `detail` says so itself. */
  readonly remedy: string | null;
  /** `level` and `detail` say what was found, and it was mended: nothing is left to do. */
  readonly repaired?: true;
}
