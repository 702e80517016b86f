import type { JobFlow } from './job-flow.ts';
import type { KeptMeta } from './meta.ts';

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
}

export type Handler<Input, Result> = (context: JobContext<Input>) => Result | Promise<Result>;
