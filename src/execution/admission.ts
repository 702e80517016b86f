import type { AnyTask } from '../core/task.ts';
import type { LaneName, PoolKind } from './lane.ts';
import type { PoolLane } from './pool-lane.ts';

/**
 * Which jobs could start now, and which would only wait for a host: asked before a job takes a slot, and before more are
 * claimed, so that jobs for a full pool keep neither slots from jobs of other lanes nor leases from other workers.
 */
export interface Admission {
  /** The pool in which a job of this task would start now; null: none. */
  poolOf(task: string): PoolKind | null;
  /** Jobs that would find a place in it now; places that other workers hold do not count. */
  room(pool: PoolKind): number;
  /** A job of this task could be started early: without a slot of its own, right behind one that started in this turn. */
  early(task: string): boolean;
  /** Jobs that were started early are put back if they have not begun. Of all others it is known then that they have. */
  takeBack(): void;
  /**
   * Holds one place in it, if there is one, until `letGo`, for HOLD_MS_MAX at most, and then no other before `letGo`: while
   * a worker whose turn it is still has to claim a job, workers that are answered sooner would take the place each time.
   */
  hold(pool: PoolKind): void;
  letGo(): void;
  /** Called when a place that `room` did not count is let go of. Set by the worker. */
  onRoom: () => void;
  /** Jobs that can run at a time in all lanes that tasks of this worker use now. */
  readonly capacity: number;
  /** Whether a queue may well hold jobs of this worker that are not for this pool. */
  isMixed(queue: string, pool: PoolKind): boolean;
}

/** Null where no task can need a pool: then nothing stands between the claim and the start. */
export function admissionOf({ tasks, routes, pools }: AdmissionMeans): Admission | null {
  const lanes = [...routes.values()];
  if (lanes.every((route) => route.fixed && route.lane === 'inline')) return null;
  const poolOf = (task: string): PoolKind | null => {
    const lane = routes.get(task)?.lane;
    return lane === undefined || lane === 'inline' ? null : lane;
  };
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const roomIn = (pool: PoolKind): number => HOLDS[pool].roomFor(admission, pools[pool].room);
  const admission: Admission = {
    poolOf,
    room: roomIn,
    early: (name) => {
      const pool = poolOf(name);
      return pool !== null && pools[pool].roomBehind(byName.get(name) as AnyTask);
    },
    takeBack: () => {
      for (const pool of ['thread', 'process'] as const) pools[pool].takeBack();
    },
    hold: (pool) => {
      if (roomIn(pool) > 0) HOLDS[pool].add(admission);
    },
    letGo: () => {
      HOLDS.thread.remove(admission);
      HOLDS.process.remove(admission);
    },
    onRoom: () => undefined,
    get capacity() {
      const used = new Set(lanes.map(({ lane }) => lane));
      if (used.has('inline')) return Number.POSITIVE_INFINITY;
      return [...used].reduce((sum, lane) => sum + pools[lane as PoolKind].capacity, 0);
    },
    isMixed: (queue, pool) => tasks.some((task) => task.queue === queue && poolOf(task.name) !== pool),
  };
  return admission;
}

/** Which workers of this process hold a place in a pool of one kind, and which were left without one for it. */
class Holds {
  readonly #timers = new Map<Admission, NodeJS.Timeout>();
  readonly #refused = new Set<Admission>();
  /** Those that held one for as long as they may and have not let go of it: they hold no other before. */
  readonly #late = new WeakSet<Admission>();

  roomFor(one: Admission, room: number): number {
    const held = this.#timers.size - (this.#timers.has(one) ? 1 : 0);
    if (room > 0 && room <= held) this.#refused.add(one);
    return room - held;
  }

  add(one: Admission): void {
    if (this.#timers.has(one) || this.#late.has(one)) return;
    // The store of this worker may hang, and that of another not.
    const tooLong = (): void => {
      this.#late.add(one);
      this.#end(one);
    };
    this.#timers.set(one, setTimeout(tooLong, HOLD_MS_MAX).unref());
  }

  remove(one: Admission): void {
    this.#late.delete(one);
    this.#end(one);
  }

  #end(one: Admission): void {
    const timer = this.#timers.get(one);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(one);
    const refused = [...this.#refused];
    this.#refused.clear();
    for (const { onRoom } of refused) onRoom();
  }
}

/** Where workers have pools of different settings, a place in each of them is held: for as long as a claim takes. */
const HOLDS: Readonly<Record<PoolKind, Holds>> = { thread: new Holds(), process: new Holds() };

const HOLD_MS_MAX = 1_000;

interface AdmissionMeans {
  readonly tasks: readonly AnyTask[];
  /** `fixed`: its lane never changes. */
  readonly routes: ReadonlyMap<string, { readonly lane: LaneName; readonly fixed: boolean }>;
  readonly pools: Readonly<Record<PoolKind, Pick<PoolLane, 'room' | 'capacity' | 'roomBehind' | 'takeBack'>>>;
}
