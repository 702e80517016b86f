import type { Json } from '../core/payload.ts';

/** What an engine has to be done, and how that ended: data between a connector and the runner. */

/** One attempt of a task, as an engine gives it out. */
export interface Work {
  /** The name of the task. */
  readonly task: string;
  /** The engine's id of it. A handler finds it as `context.id`. */
  readonly id: string;
  /** What the engine calls its queue: task queue, topic or job type. */
  readonly queue: string;
  /** JSON; a task's schema checks it. */
  readonly input: unknown;
  /** From 1. */
  readonly attempt: number;
  /** Attempts that may end in an error, this one included; default: as many as the engine likes. */
  readonly attemptsMax?: number | undefined;
  /** Longest time in the handler; default: the task's. */
  readonly timeoutMs?: number | undefined;
  /** 1 to 200 characters; default: the id. */
  readonly correlationId?: string | undefined;
  /** As W3C Trace Context writes it; what is malformed is left out. */
  readonly traceparent?: string | undefined;
  /** When it could first have been run, in ms since the epoch; default: now. */
  readonly enqueuedAt?: number | undefined;
  /** What `context.lastProgress()` resolves to until the handler tells progress of its own. */
  readonly lastProgress?: unknown;
  /**
   * Aborts to have it stopped: the handler's signal aborts, and what still runs after `abortGraceMs` is given up, in a thread or
   * process ended. The work is `lost` where the reason is an error with the code LEASE_LOST, otherwise `cancelled`.
   */
  readonly signal?: AbortSignal | undefined;
  /** A slot taken before, given back when the work has ended; default: the work waits for one. */
  readonly permit?: Permit | undefined;
  /** The handler called `progress`, or `heartbeat` with details. In any lane; called in this thread. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** The handler called `log`. */
  readonly onLog?: ((line: LogEntry) => void) | undefined;
}

export interface LogEntry {
  /** Ms since the epoch. */
  readonly at: number;
  readonly message: string;
  readonly data: unknown;
}

/** How work ended. `ms` is the time in the handler. */
export type Ended =
  | { readonly state: 'completed'; readonly result: Json | undefined; readonly ms: number }
  | {
      readonly state: 'failed';
      /** What the handler threw, with its own properties in every lane; another value than an error is the cause of one. */
      readonly error: Error;
      /** False: running it again cannot help, or it has had `attemptsMax` attempts. */
      readonly retry: boolean;
      /** By the task's backoff or a RetryAfterError. There whenever `retry` is true. */
      readonly retryInMs?: number;
      readonly ms: number;
    }
  /** The handler asked to run later; the attempt is not to be charged. */
  | { readonly state: 'snoozed'; readonly delayMs: number }
  /** Its signal aborted. */
  | { readonly state: 'cancelled' }
  /** Its signal aborted for a lost lock: somebody else may run it, and nothing may be told to the engine. */
  | { readonly state: 'lost' }
  /** The runner stops: give it back to the engine, uncharged. */
  | { readonly state: 'released' };

/** A slot that was taken. */
export interface Permit {
  /** Gives it back. Idempotent. */
  release(): void;
}
