import { newId } from '../../core/ids.ts';
import type { ClaimReceipt, ClaimRequest, Lease } from '../store.ts';
import { isReply, isUnsent } from './errors.ts';
import type { LostClaims } from './lost.ts';
import { type JobRecord, readIds, readRecord } from './record.ts';
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
    return await receiptOf(session, queues, reply);
  } catch (error) {
    // Also where the answer came and the names in it could not be asked for: the jobs are leased.
    if (!untaken) lost.add({ id, workerId, leaseMs });
    throw error;
  }
}

async function receiptOf(
  session: Session,
  queues: readonly string[],
  { now, values }: ScriptReply,
): Promise<ClaimReceipt> {
  const [nextDueAt, ...given] = values as [Buffer, ...unknown[]];
  const leases: Lease[] = [];
  for (let at = 0; at < given.length; at += 4) {
    const queue = queues[given[at] as number] ?? '';
    const [ids, lengths, records] = given.slice(at + 1, at + 4) as [Buffer, Buffer, Buffer];
    const jobs = readJobs(ids, lengths, records);
    await session.names.learn('task', new Set(jobs.map(({ task }) => task)));
    for (const job of jobs) leases.push(toLease(job, queue, session.names.name('task', job.task), now));
  }
  return { now, leases, nextDueAt: nextDueAt.length === 0 ? null : Number(nextDueAt) };
}

/** The records stand in a row; `lengths` has four bytes of each. */
function readJobs(idBytes: Buffer, lengths: Buffer, records: Buffer): JobRecord[] {
  const ids = readIds(idBytes, lengths.length / 4);
  let start = 0;
  return ids.map((id, index) => {
    const end = start + lengths.readUInt32LE(index * 4);
    const job = readRecord(id, records, start, end);
    start = end;
    return job;
  });
}

function toLease(job: JobRecord, queue: string, task: string, claimedAt: number): Lease {
  const { id, key, input, attempt, attemptsMax, crashes, priority, createdAt, dueAt } = job;
  const token = tokenOf(job);
  return {
    id,
    token,
    claimedAt,
    queue,
    task,
    key,
    input,
    attempt,
    attemptsMax,
    crashes,
    priority,
    createdAt,
    dueAt,
  };
}
