import { type ErrorCode, LongshoreError } from '../core/errors.ts';
import { reasonOf } from '../core/legible.ts';

/** Since when something a worker lives by fails, and how it failed last. */
export interface Trouble {
  /** Ms since the epoch, by this machine's clock. */
  readonly since: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** After one more failure: the first one tells since when, the last one why. */
export function stillInTrouble(before: Trouble | null, error: unknown, now: number): Trouble {
  return {
    since: before?.since ?? now,
    code: error instanceof LongshoreError ? error.code : 'STORE_FAILED',
    message: reasonOf(error),
  };
}

/** A started worker, in figures, as it is now. */
export interface WorkerGauges {
  readonly id: string;
  /** It does the maintenance of the store, for all workers. */
  readonly leading: boolean;
  /** Handlers that run. */
  readonly running: number;
  readonly slots: { readonly total: number; readonly used: number };
  /** Where the jobs of each task run. */
  readonly lanes: readonly { readonly task: string; readonly lane: string }[];
  /** What it cannot do now: `claim`, `beat`, `settle`. */
  readonly troubles: readonly string[];
}

export interface WorkerHealth {
  readonly id: string;
  /** Its claims, its heartbeats and the outcomes of its jobs are taken by the store. */
  readonly ok: boolean;
  readonly started: boolean;
  /** Handlers that run now. */
  readonly running: number;
  /** Since when it cannot claim, and why; null when it can. */
  readonly claim: Trouble | null;
  /** Since when its heartbeats fail, and why; when that lasts for a lease's time, other workers take its jobs. */
  readonly beat: Trouble | null;
  /** Since when outcomes cannot be written, and why; null when they can. */
  readonly settle: Trouble | null;
}
