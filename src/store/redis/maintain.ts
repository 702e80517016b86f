import { expire } from '../../core/settle-rule.ts';
import {
  type DamagedJob,
  type PruneReceipt,
  type PruneRequest,
  RETENTION_DEFAULT,
  type ReapReceipt,
  type ReapRequest,
  WORKER_KEPT_MS,
} from '../store.ts';
import { giveBack, subjectsOf } from './give-back.ts';
import { get, trail } from './inspect.ts';
import { readId } from './record.ts';
import type { Session } from './session.ts';

/** What is done for the store by whoever leads. */

/** Batches of leases one script looks at. */
const REAP_BATCHES = 200;

/** Leases that are renewed between the reading and the writing are left alone. */
export async function reap(
  session: Session,
  { crashesMax }: ReapRequest,
  at: number | undefined,
): Promise<ReapReceipt> {
  const reaped: ReapReceipt['reaped'][number][] = [];
  const damaged: DamagedJob[] = [];
  for (;;) {
    const { now, values } = await session.scripts.run('lapsed', at, [String(REAP_BATCHES)]);
    const subjects = subjectsOf(values[0]);
    damaged.push(
      ...(await readAside(
        session,
        (values[1] as Buffer[]).map((id) => readId(id)),
      )),
    );
    if (subjects.length === 0) return damaged.length === 0 ? { reaped } : { reaped, damaged };
    const changes = subjects.map((subject) => expire(subject, now, crashesMax));
    const states = await giveBack(session, { move: 'expire', forget: null, now }, subjects, changes);
    for (const [index, { id, queue, task }] of subjects.entries()) {
      const change = changes[index];
      if (change === undefined || states[index] === null) continue;
      const { state, attempt, crashes, error } = change;
      reaped.push({ id, queue, task, state, attempt, crashes, error });
    }
  }
}

/** Jobs that were set aside (lua/_aside.lua), unless they are gone since. */
async function readAside(session: Session, ids: readonly string[]): Promise<DamagedJob[]> {
  const jobs = ids.length === 0 ? [] : await get(session, ids);
  const damaged: DamagedJob[] = [];
  for (const job of jobs) {
    const error = job === null ? undefined : (await trail(session, job.id))?.errors.at(-1);
    if (job !== null && error !== undefined)
      damaged.push({ id: job.id, queue: job.queue, task: job.task, error });
  }
  return damaged;
}

const PRUNE_LIMIT_DEFAULT = 10_000;
/** Jobs one script deletes at most: about 10 ms. */
const PRUNE_STEP = 1_000;

export async function prune(
  { scripts }: Session,
  { limit = PRUNE_LIMIT_DEFAULT }: PruneRequest,
  at: number | undefined,
): Promise<PruneReceipt> {
  let [jobs, workers] = [0, 0];
  for (;;) {
    const step = Math.min(limit - jobs, PRUNE_STEP);
    const args = [String(step), JSON.stringify(RETENTION_DEFAULT), String(WORKER_KEPT_MS)];
    const { values } = await scripts.run('prune', at, args);
    const [deleted, forgotten, more] = values as [number, number, number];
    jobs += deleted;
    workers += forgotten;
    if (more === 0) return { jobs, workers, more: false };
    if (jobs >= limit) return { jobs, workers, more: true };
  }
}
