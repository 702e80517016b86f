import type { AttemptError } from './errors.ts';
import type { OutcomeType } from './outcome.ts';

/**
 * The port of a tracer (`longshore/otel` is one), given to `connect`. Events tell what has happened; a tracer also has a part in
 * it: its trace context travels in the meta of jobs, and is active while their handlers run. None of its methods may throw.
 */
export interface Tracing {
  /** Jobs, or a run of a flow, are about to be stored by one call. Null: they are not traced, and are stored as they are. */
  send(sent: readonly Sent[]): Sending | null;
  /** The handler of a job is about to start; null: the attempt is not traced. */
  run(attempt: TracedAttempt): Running | null;
  /** A decision about a run of a flow was stored. */
  advanced(advance: Advance): void;
}

export interface Sent {
  readonly kind: 'job' | 'run';
  readonly id: string;
  /** Of a job; null for a run. */
  readonly queue: string | null;
  /** Of the task or the flow. */
  readonly name: string;
  /** JSON (meta.ts). */
  readonly meta: string | null;
}

export interface Sending {
  /** The metas to store instead, in the order of what is sent. */
  readonly metas: readonly (string | null)[];
  /** Stored, or not: then `error` says why. */
  end(error?: unknown): void;
}

export interface TracedAttempt {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly attempt: number;
  /** As it is stored. */
  readonly meta: string | null;
  readonly workerId: string;
  /** When the job became claimable and when it was claimed, by the store's clock, in ms since the epoch. */
  readonly dueAt: number;
  readonly claimedAt: number;
  /** How long ago the attempt started, ms: a moment. */
  readonly agoMs: number;
}

export interface Running {
  /** The job's meta with the context of this run in it: what the handler sees, and threads and processes are given. */
  readonly meta: string;
  /** Calls `work` with the context of this run active. */
  within<Result>(work: () => Result): Result;
  /** The attempt ended, with this error if it failed. `runMs`: time in the handler. */
  ended(outcome: OutcomeType, error: AttemptError | null, runMs: number): void;
  /** The outcome is stored, or was refused: the lease is lost. */
  settled(outcome: OutcomeType | 'lost'): void;
}

export interface Advance {
  readonly run: string;
  readonly flow: string;
  readonly meta: string | null;
  /** Of the run, after it. */
  readonly state: string;
  /** Steps that went to another state. */
  readonly moves: readonly { readonly step: string; readonly to: string }[];
  /** What the decision took, with its commit, ms. */
  readonly tookMs: number;
}
