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
  /** Jobs that would find a place in it now. */
  room(pool: PoolKind): number;
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
  return {
    poolOf,
    room: (pool) => pools[pool].room,
    get capacity() {
      const used = new Set(lanes.map(({ lane }) => lane));
      if (used.has('inline')) return Number.POSITIVE_INFINITY;
      return [...used].reduce((sum, lane) => sum + pools[lane as PoolKind].capacity, 0);
    },
    isMixed: (queue, pool) => tasks.some((task) => task.queue === queue && poolOf(task.name) !== pool),
  };
}

interface AdmissionMeans {
  readonly tasks: readonly AnyTask[];
  /** `fixed`: its lane never changes. */
  readonly routes: ReadonlyMap<string, { readonly lane: LaneName; readonly fixed: boolean }>;
  readonly pools: Readonly<Record<PoolKind, Pick<PoolLane, 'room' | 'capacity'>>>;
}
