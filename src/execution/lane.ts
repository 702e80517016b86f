import type { LongshoreError } from '../core/errors.ts';
import type { JobContext } from '../core/job-context.ts';
import type { AnyTask } from '../core/task.ts';
import type { DurablePort } from './durable-calls.ts';
import type { TransactionPort } from './transaction-port.ts';

/**
 * Lanes: where handler code runs. executor -> lane -> handler, and back. A lane takes a job from its input as JSON text
 * to its result as JSON text: it reads and checks the input, runs the handler and encodes what it returns, all in one
 * place, so that a handler gets the same in every lane and no live object has to cross a border. Everything else
 * (leases, encryption, timeouts, settling) is the executor's.
 *
 * Three lanes: inline.ts on this event loop; pool-lane.ts in threads or processes, which the pool (pool.ts) keeps as
 * *hosts* and which run resident.ts. lanes.ts picks by strategy, routes.ts by measurement where that is
 * `auto`. Nothing here talks to a store or emits an event by itself.
 */
export interface Lane {
  readonly name: LaneName;
  /**
   * The encoded result, or a promise of it. Throws or rejects with whatever the handler threw, as good as it can be
   * carried over, with an UnfitJob where the job itself is at fault, or with a LongshoreError about the lane.
   */
  run(task: AnyTask, job: LaneJob): string | null | Promise<string | null>;
  /** Lets go of what the lane holds; it may be used again. Jobs that still run in it are stopped. */
  close(): Promise<void>;
}

export type LaneName = 'inline' | 'thread' | 'process';

/** The lanes that have hosts. */
export type PoolKind = Exclude<LaneName, 'inline'>;

/** What a lane is given of a job, and what it may tell about it. */
export interface LaneJob {
  readonly id: string;
  readonly queue: string;
  readonly key: string | null;
  /** As it is stored. */
  readonly meta: string | null;
  /** Calls the handler with a tracer's context active; null: nothing traces it here. */
  readonly within: (<Result>(work: () => Result) => Result) | null;
  readonly attempt: number;
  readonly attemptsMax: number;
  /** JSON text, decrypted. */
  readonly input: string | null;
  /** Largest result, progress or log datum, as JSON. */
  readonly payloadBytesMax: number;
  /** Why the handler is to stop, once it is. */
  readonly abortReason: LongshoreError | null;
  /** Set by a lane that can do more about a stop than abort the context's signal. */
  stopper: Stopper | null;
  /**
   * It was started without a slot: a pool runs it right behind another job that has one, and then with that one's
   * (`shared`), or puts it back.
   */
  readonly early: boolean;
  /** The slot that it has together with others, which run one after the other. */
  shared: SharedSlot | null;
  /** Time in the handler, ms, where the lane knows better than who waits for it. */
  ranMs: number | null;
  /** The handler is about to start: its time counts from now. Called again where it has to be started again. */
  begin(): void;
  /** Its host is gone, and it waits for another: until it starts again its time stands still. */
  wait(): void;
  /** Of an early one: it has not begun, and would have to wait. Nothing else comes of this run of it. */
  putBack(): void;
  /** The context of a handler in this thread; its `progress` and `log` also serve those that run elsewhere. */
  context(input: unknown): JobContext<unknown>;
  /** What the durable steps of a handler that runs elsewhere are kept through. */
  readonly durablePort: DurablePort;
  /** What such a handler completes its job through, in a transaction of its own. */
  readonly transactionPort: TransactionPort;
  /** Its end may have committed in a transaction of its handler's: it must not run again under this attempt. */
  readonly endsByItself: boolean;
}

/** One slot for jobs that a host runs one after the other: it is free when none of them is left. */
export interface SharedSlot {
  jobs: number;
}

export interface Stopper {
  /** Asks the handler to stop. */
  abort(reason: LongshoreError): void;
  /** Stops its code, after the grace that it was given. */
  kill(): void;
}

/** A fault of the job itself, found before or after its handler ran: running it again would not help. */
export class UnfitJob extends Error {
  override readonly cause: LongshoreError;
  readonly #mark = null;

  /** Unlike `instanceof`, it asks nothing of a value that a handler threw: a revoked proxy would throw once more. */
  static is(thrown: unknown): thrown is UnfitJob {
    return typeof thrown === 'object' && thrown !== null && #mark in thrown;
  }

  constructor(cause: LongshoreError) {
    super(cause.message);
    this.cause = cause;
  }
}
