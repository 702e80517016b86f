import type { JobFlow } from './job-flow.ts';
import type { Jsonified } from './jsonified.ts';
import type { KeptMeta } from './meta.ts';
import type { Schema } from './schema.ts';
import type { TransactionOf } from './transaction-of.ts';

/** What a handler is given. Every member may be taken by destructuring. */
export interface JobContext<Input> {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** Whose turn this is, where the job has a key. */
  readonly key: string | null;
  /** The schema's output for the job's input. */
  readonly input: Input;
  /** What was given as `meta` at enqueue, with null or an empty list for what was not. */
  readonly meta: KeptMeta;
  /** What ties this job to others: `meta.correlationId`, or the id of the run it is a step of, or its own. What it enqueues inherits it. */
  readonly correlationId: string;
  /** Of a step of a flow's run: which one. Null for other jobs. */
  readonly flow: JobFlow | null;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** Attempts allowed; 1 means no retry. */
  readonly attemptsMax: number;
  /** Aborts on timeout, cancel, a lost lease and the end of a graceful stop; its `reason` is a LongshoreError that says which. */
  readonly signal: AbortSignal;
  /** Reports progress: a number or any JSON. Written in batches; the last value wins. */
  readonly progress: (value: unknown) => void;
  /**
   * Says that the handler is alive, for tasks with a `heartbeatTimeoutMs`; with `details`, does what `progress` does, too.
   * May be called as often as you like. The lease needs none of it.
   */
  readonly heartbeat: (details?: unknown) => void;
  /**
   * What `progress` or `heartbeat` were given last, in this attempt or one before it: to go on from there. `undefined` when
   * there is nothing. Rejects with the store's error.
   */
  readonly lastProgress: () => Promise<unknown>;
  /** Adds a line to the job's log, with optional JSON data. Written in batches. */
  readonly log: (message: string, data?: unknown) => void;
  /**
   * Runs `run` once and keeps what it returns under `name`: a later attempt gets that back, as JSON made it, and does not run
   * it. Rejects with what `run` threw, and with STEP_DUPLICATE, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE, OPTION_INVALID.
   */
  readonly step: <Result>(name: string, run: () => Result) => Promise<Jsonified<Awaited<Result>>>;
  /**
   * Ends the attempt, uncharged and without a slot, and runs the handler again `ms` later; then it resolves. What it rejects
   * with to end the attempt has the code JOB_SUSPENDED: let it pass.
   */
  readonly sleep: (name: string, ms: number) => Promise<void>;
  /** Resolves to the payload of a signal that was sent, or will be (`longshore.jobs.signal`). Ends the attempt as `sleep` does. */
  readonly waitFor: WaitFor;
  /**
   * Runs `run` in a transaction of yours and completes the job in it: your writes and the job's end commit together, or not
   * at all. `db` is the pool or client of your library, on the store's own database; in a thread or process, one of the task's
   * own module. What `run` returns is the job's result
   * and comes back after the commit; what the handler does afterwards changes no outcome. When it rejects, all was rolled back.
   * Rejects with what `run` or your library threw; TRANSACTIONS_UNSUPPORTED, OPTION_INVALID; LEASE_LOST when another worker
   * may have the job; JOB_STATE_REFUSED when the job was completed already; PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE for the result;
   * and the reason of `signal`, once it is aborted.
   */
  readonly transaction: RunTransaction;
  /**
   * Completes the job in a transaction that you opened and will commit. Best called last in it. An attempt whose transaction
   * was rolled back afterwards counts as failed. Rejects as `transaction` does.
   */
  readonly complete: (result: unknown, options: { readonly tx: object }) => Promise<void>;
}

export interface RunTransaction {
  <Db extends object, Result>(
    db: Db,
    run: (tx: TransactionOf<Db>) => Result | Promise<Result>,
  ): Promise<Result>;
  /** On the `pg` pool that `connect` was given as `client`; not in a thread or process. */
  <Result, Tx extends object = object>(run: (tx: Tx) => Result | Promise<Result>): Promise<Result>;
}

/** With a `timeoutMs`, resolves to null when no signal has come by then. */
export interface WaitFor {
  <Payload = unknown>(
    name: string,
    options: WaitForOptions<Payload> & { readonly timeoutMs: number | undefined },
  ): Promise<Payload | null>;
  <Payload = unknown>(name: string, options?: Omit<WaitForOptions<Payload>, 'timeoutMs'>): Promise<Payload>;
}

export interface WaitForOptions<Payload> {
  /** From the first time that the handler comes here and waits. */
  readonly timeoutMs?: number | undefined;
  /**
   * The schema of the payload. One that does not match ends the attempt with INPUT_INVALID and is dropped, so that another
   * one can be sent.
   */
  readonly schema?: Schema<unknown, Payload>;
}

export type Handler<Input, Result> = (context: JobContext<Input>) => Result | Promise<Result>;
