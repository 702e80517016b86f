import type { CustomSlotSupplier, SlotPermit, SlotReserveContext, WorkerTuner } from '@temporalio/worker';
import type { Runner } from '../../engine/runner.ts';
import { fixedSlots, rangesOf, type SlotKind, type SlotRange, type TemporalTuner } from './tuner.ts';

/** How many tasks of each kind a worker may have, as the SDK asks for it: a permit for each poll and each task. */
export interface PollPermits {
  readonly tuner: WorkerTuner;
  /** An activity was handed to the runner, or has ended there. */
  readonly began: (kind: ActivityKind) => void;
  readonly ended: (kind: ActivityKind) => void;
  counts(): Readonly<Record<SlotKind, { readonly permits: number; readonly used: number }>>;
  /** Everything that waits is refused, everything that is out counts as given back: the SDK does not return all of it. */
  close(): void;
}

export type ActivityKind = Exclude<SlotKind, 'workflows'>;

/** Nexus operations, which this worker has none of: the SDK takes no supplier of others for them. */
const NEXUS = { type: 'fixed-size', numSlots: 1 } as const;

export function pollPermits(tuner: TemporalTuner, runner: Runner): PollPermits {
  if (tuner.kind === 'longshore') return new Permits(runner, rangesOf(tuner));
  const nothing = { permits: 0, used: 0 };
  return {
    tuner: tuner.kind === 'fixed' ? fixedTuner(fixedSlots(tuner)) : resourceTuner(tuner),
    began: () => undefined,
    ended: () => undefined,
    counts: () => ({ workflows: nothing, activities: nothing, localActivities: nothing }),
    close: () => undefined,
  };
}

function fixedTuner({ workflows, activities, localActivities }: Record<SlotKind, number>): WorkerTuner {
  return {
    workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: workflows },
    activityTaskSlotSupplier: { type: 'fixed-size', numSlots: activities },
    localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: localActivities },
    nexusTaskSlotSupplier: NEXUS,
  };
}

function resourceTuner(tuner: TemporalTuner & { kind: 'temporal' }): WorkerTuner {
  const { workflows, activities, localActivities } = rangesOf(tuner);
  const options = ({ min, max }: Required<SlotRange>) => ({ minimumSlots: min, maximumSlots: max });
  return {
    tunerOptions: { targetCpuUsage: tuner.targetCpu ?? 0.9, targetMemoryUsage: tuner.targetMemory ?? 0.8 },
    workflowTaskSlotOptions: options(workflows),
    activityTaskSlotOptions: options(activities),
    localActivityTaskSlotOptions: options(localActivities),
  };
}

interface Waiting {
  readonly kind: SlotKind;
  readonly resolve: (permit: SlotPermit) => void;
  readonly reject: (error: unknown) => void;
}

interface Count {
  permits: number;
  used: number;
}

/**
 * Permits by the slots of the runner. A poll that waits holds no slot: only so many polls are open as there are slots free now,
 * and an activity takes its slot in the runner when it is there. So slots that idle polls would hold serve other workers of the
 * process, and fewer slots are fewer activities at once, whatever polls are open.
 * A workflow task cannot be kept waiting, since the SDK runs it: its minimum is always there, and above it a poll needs a free slot.
 */
class Permits implements PollPermits {
  readonly tuner: WorkerTuner;
  readonly #runner: Runner;
  readonly #ranges: Readonly<Record<SlotKind, Required<SlotRange>>>;
  readonly #counts: Record<SlotKind, Count>;
  /** Activities that the runner has. */
  readonly #handed: Record<ActivityKind, number> = { activities: 0, localActivities: 0 };
  #waiting: Waiting[] = [];
  #endRoom: (() => void) | null;
  #closed = false;

  constructor(runner: Runner, ranges: Readonly<Record<SlotKind, Required<SlotRange>>>) {
    this.#runner = runner;
    this.#ranges = ranges;
    const count = (): Count => ({ permits: 0, used: 0 });
    this.#counts = { workflows: count(), activities: count(), localActivities: count() };
    this.tuner = {
      workflowTaskSlotSupplier: this.#supplier('workflows'),
      activityTaskSlotSupplier: this.#supplier('activities'),
      localActivityTaskSlotSupplier: this.#supplier('localActivities'),
      nexusTaskSlotSupplier: NEXUS,
    };
    this.#endRoom = runner.onRoom(() => this.#serve());
  }

  began = (kind: ActivityKind): void => {
    this.#handed[kind] += 1;
  };

  ended = (kind: ActivityKind): void => {
    this.#handed[kind] -= 1;
    this.#serve();
  };

  counts(): Readonly<Record<SlotKind, Count>> {
    return this.#counts;
  }

  close(): void {
    this.#closed = true;
    this.#endRoom?.();
    this.#endRoom = null;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the worker has stopped'));
    for (const count of Object.values(this.#counts)) Object.assign(count, { permits: 0, used: 0 });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the facts of a slot differ by kind and are not read here.
  #supplier(kind: SlotKind): CustomSlotSupplier<any> {
    return {
      type: 'custom',
      reserveSlot: (_context: SlotReserveContext, signal: AbortSignal) => this.#reserve(kind, signal),
      tryReserveSlot: () => (this.#mayHave(kind) ? this.#give(kind) : null),
      markSlotUsed: ({ permit }) => this.#use(kind, permit as Held),
      releaseSlot: ({ permit }) => this.#release(kind, permit as Held),
    };
  }

  #mayHave(kind: SlotKind): boolean {
    if (this.#closed) return false;
    const { permits, used } = this.#counts[kind];
    const { min, max } = this.#ranges[kind];
    if (permits >= max) return false;
    if (kind === 'workflows') return permits < min || permits - used < this.#runner.free();
    // Polls that are open, and activities that have come and are not with the runner yet. Each kind for itself: the SDK holds a
    // permit for the next local activity at all times.
    return permits - this.#handed[kind] < this.#runner.free();
  }

  async #reserve(kind: SlotKind, signal: AbortSignal): Promise<SlotPermit> {
    signal.throwIfAborted();
    if (this.#waiting.every((other) => other.kind !== kind) && this.#mayHave(kind)) return this.#give(kind);
    const { promise, resolve, reject } = Promise.withResolvers<SlotPermit>();
    const waiting = { kind, resolve, reject };
    const onAbort = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(waiting);
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  #give(kind: SlotKind): Held {
    this.#counts[kind].permits += 1;
    return { used: false, given: true };
  }

  #use(kind: SlotKind, permit: Held): void {
    if (this.#closed || !permit.given || permit.used) return;
    permit.used = true;
    this.#counts[kind].used += 1;
  }

  #release(kind: SlotKind, permit: Held): void {
    if (this.#closed || !permit.given) return;
    permit.given = false;
    this.#counts[kind].permits -= 1;
    if (permit.used) this.#counts[kind].used -= 1;
    this.#serve();
  }

  /** In the order in which they came; a kind that has none does not hold up the others. */
  #serve(): void {
    if (this.#waiting.length === 0) return;
    const left: Waiting[] = [];
    for (const waiting of this.#waiting)
      if (this.#mayHave(waiting.kind)) waiting.resolve(this.#give(waiting.kind));
      else left.push(waiting);
    this.#waiting = left;
  }
}

/** What the SDK keeps for us of a permit. */
interface Held extends SlotPermit {
  used: boolean;
  given: boolean;
}
