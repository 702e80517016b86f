import type { Clock } from '../core/clock.ts';
import type { LongshoreError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { AnyTask } from '../core/task.ts';
import type { Admission } from '../execution/admission.ts';
import type { Lane } from '../execution/lane.ts';
import type { Lease } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { Slots } from '../tuner/slots.ts';
import type { Attempt } from './attempt.ts';
import type { DurableMeans } from './durable.ts';
import type { NoteTaker } from './note-taker.ts';
import type { CompletionMeans } from './own-completion.ts';
import type { Traces } from './traces.ts';

export interface ExecutorOptions {
  /** For durable steps. */
  readonly store: DurableMeans['store'];
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly lane: Omit<Lane, 'name'> & { readonly admission: Admission | null };
  readonly slots: Slots;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly notes: NoteTaker;
  /** Null: nothing is traced. */
  readonly traces: Traces | null;
  readonly completions: CompletionMeans;
  /** A job ended in its handler's transaction. */
  readonly onCommitted: (attempt: Attempt) => void;
  readonly abortGraceMs: number;
  readonly crashesMax: number;
  readonly codec: PayloadCodec;
  readonly random: () => number;
  /** What becomes of a job whose task is not among them, or whose payload cannot be opened here. Never rejects. */
  readonly outcomeOfBarred: (lease: Lease, barrier: LongshoreError | null) => Promise<Outcome>;
  /** An attempt ended; `null` when its lease is lost and nothing may be settled. */
  readonly onOutcome: (attempt: Attempt, outcome: Outcome | null) => void;
  /** Leases that go back unstarted, because their queue is paused or a suspect must run alone. */
  readonly onRelease: (leases: readonly Lease[]) => void;
  /** Unstarted leases whose jobs the store will cancel once it has them back. */
  readonly onCancelled: (leases: readonly Lease[]) => void;
  /** Outcomes not yet in the store; a suspect waits until there are none. */
  readonly unsettled: () => number;
}
