import { type HeldLock, Keeper, type KeeperOptions } from '../../engine/keeper.ts';
import { GONE } from './dialect.ts';
import { type ExternalTask, lockedUntil } from './external-task.ts';
import type { Checked } from './options.ts';

/** Extends the locks of external tasks. A task that is gone is answered 404; a lock that ended, or is another worker's, 400. */
export function keeperOf(
  { url, headers, tls }: Checked,
  hooks: Pick<KeeperOptions, 'onTrouble' | 'onWell'>,
): Keeper {
  return new Keeper({
    method: 'POST',
    url: `${url}/external-task/{id}/extendLock`,
    headers,
    ...(tls === null ? {} : { tls }),
    lostStatuses: [400, 404],
    lostText: GONE,
    ...hooks,
  });
}

/** Every third of it; the first time sooner where the task waited for this event loop for a part of its lock. */
export function keepLock(
  keeper: Keeper,
  task: ExternalTask,
  { lockMs }: { readonly lockMs: number },
  workerId: string,
): HeldLock {
  const intervalMs = Math.round(lockMs / 3);
  const until = lockedUntil(task);
  const passedMs = until === undefined ? 0 : lockMs - (until - Date.now());
  return keeper.hold(task.id, {
    intervalMs,
    firstMs: Math.min(Math.max(intervalMs - passedMs, 0), intervalMs),
    body: JSON.stringify({ workerId, newDuration: lockMs }),
  });
}
