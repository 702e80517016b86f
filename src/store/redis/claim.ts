import { newId } from '../../core/ids.ts';
import type { ClaimReceipt, ClaimRequest, Lease } from '../store.ts';
import { isReply, isUnsent } from './errors.ts';
import type { LostClaims } from './lost.ts';
import { type JobRecord, readFront, readIds, readRest } from './record.ts';
import type { ScriptReply } from './scripts.ts';
import type { Session } from './session.ts';
import { tokenOf } from './token.ts';

/** Jobs out: what is due is promoted, and the first jobs of each queue that is not paused are leased, in one script. */
export async function claim(
  session: Session,
  lost: LostClaims,
  request: ClaimRequest,
  now: number | undefined,
): Promise<ClaimReceipt> {
  const { workerId, leaseMs, limit, queues } = request;
  const id = newId();
  const args = [workerId, String(leaseMs), String(Math.max(0, limit)), id, ...queues];
  let untaken = false;
  try {
    const reply = await session.scripts.run('claim', now, args).catch((error: unknown) => {
      untaken = isReply(error) || isUnsent(error);
      throw error;
    });
    return await receiptOf(session, { id, queues }, reply);
  } catch (error) {
    // Also where the answer came and the names in it could not be asked for: the jobs are leased.
    if (!untaken) lost.add({ id, workerId, leaseMs });
    throw error;
  }
}

async function receiptOf(
  session: Session,
  { id, queues }: { readonly id: string; readonly queues: readonly string[] },
  { now, values }: ScriptReply,
): Promise<ClaimReceipt> {
  const [nextDueAt, ...given] = values as [Buffer, ...unknown[]];
  const leases: Lease[] = [];
  for (let at = 0; at < given.length; at += 5) {
    const queue = queues[given[at] as number] ?? '';
    const jobs = readJobs(given.slice(at + 1, at + 5) as [Buffer, Buffer, Buffer, Buffer]);
    await session.names.learn('task', new Set(jobs.map(({ task }) => task)));
    const batch = jobs.map((job) => toLease(job, queue, session.names.name('task', job.task), now));
    session.wholes.add(id, batch);
    leases.push(...batch);
  }
  return { now, leases, nextDueAt: nextDueAt.length === 0 ? null : Number(nextDueAt) };
}

/** Ids, fronts, lengths of rests and rests, as lua/claim.lua describes them. */
function readJobs([idsBytes, fronts, lengths, rests]: [Buffer, Buffer, Buffer, Buffer]): JobRecord[] {
  const ids = readIds(idsBytes, sizeOf(lengths));
  const jobs: JobRecord[] = [];
  let start = 0;
  let lengthsAt = -8;
  let alikeInLength = 0;
  let length = 0;
  for (let at = 0; at < fronts.length; at += 8 + fronts.readUInt32LE(at + 4)) {
    const front = readFront(fronts, at + 8);
    for (let alike = fronts.readUInt32LE(at); alike > 0; alike -= 1) {
      if (alikeInLength === 0) {
        lengthsAt += 8;
        alikeInLength = lengths.readUInt32LE(lengthsAt);
        length = lengths.readUInt32LE(lengthsAt + 4);
      }
      alikeInLength -= 1;
      jobs.push(readRest(ids[jobs.length] as string, front, rests, start, start + length));
      start += length;
    }
  }
  return jobs;
}

/** How many there are in all. */
function sizeOf(lengths: Buffer): number {
  let size = 0;
  for (let at = 0; at < lengths.length; at += 8) size += lengths.readUInt32LE(at);
  return size;
}

function toLease(job: JobRecord, queue: string, task: string, claimedAt: number): Lease {
  const { id, key, input, meta, attempt, attemptsMax, crashes, priority, createdAt, dueAt } = job;
  const token = tokenOf(job);
  return {
    id,
    token,
    claimedAt,
    queue,
    task,
    key,
    input,
    meta,
    attempt,
    attemptsMax,
    crashes,
    priority,
    createdAt,
    dueAt,
  };
}
