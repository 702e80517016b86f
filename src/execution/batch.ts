import type { Host } from './host.ts';
import type { SharedSlot } from './lane.ts';
import type { NumberedTask } from './numbered-task.ts';
import type { PoolJob } from './pool-job.ts';

/** A batch takes no more time than this, if its jobs take as long as those before: a host answers when it has run it. */
const BATCH_MS = 1;
const BATCH_JOBS = 16;

/** By owner, the jobs that are to be handed out at the end of this turn: what could still go with them. */
export class Hands {
  readonly #hands = new Map<object, Hand>();

  /** Of an early job: there was room for it. */
  add({ owner, task, job, onUsage }: PoolJob): void {
    let hand = this.#hands.get(owner);
    if (hand === undefined) {
      hand = { leaders: 0, jobs: 0, expectedMs: 0 };
      this.#hands.set(owner, hand);
    }
    if (!job.early) hand.leaders += 1;
    hand.jobs += 1;
    hand.expectedMs += onUsage === undefined ? Math.min(BATCH_MS, task.expectedMs) : BATCH_MS;
  }

  /** Whether a job of this task could be handed out behind one of them. */
  roomBehind({ expectedMs }: NumberedTask, owner: object): boolean {
    const hand = this.#hands.get(owner);
    if (hand === undefined || hand.jobs >= hand.leaders * BATCH_JOBS) return false;
    return hand.expectedMs + expectedMs <= hand.leaders * BATCH_MS;
  }

  clear(): void {
    this.#hands.clear();
  }
}

interface Hand {
  /** Those for which there is a host. */
  leaders: number;
  jobs: number;
  /** How long they may take in all; one of which that is not known, as long as a batch. */
  expectedMs: number;
}

/** The job, and those of `early` that go with it, which are taken out of there. */
export function batchOf(first: PoolJob, early: PoolJob[], { host, jobsMax }: BatchLimits): PoolJob[] {
  const batch = [first];
  if (first.alone || first.onUsage !== undefined || !host.has(first.task.number)) return batch;
  let { expectedMs } = first.task;
  while (batch.length < Math.min(jobsMax, BATCH_JOBS)) {
    const next = early[0];
    if (next === undefined || next.owner !== first.owner || !host.has(next.task.number)) break;
    if (next.onUsage !== undefined) break;
    expectedMs += next.task.expectedMs;
    if (expectedMs > BATCH_MS) break;
    early.shift();
    batch.push(next);
  }
  if (batch.length > 1) shareSlot(batch);
  return batch;
}

export interface BatchLimits {
  readonly host: Pick<Host, 'has'>;
  readonly jobsMax: number;
}

function shareSlot(batch: readonly PoolJob[]): void {
  const slot: SharedSlot = { jobs: batch.length };
  for (const { job } of batch) job.shared = slot;
}

/** In the order in which they came. One that is to stop does so before it has begun. */
export function putBack(entries: readonly PoolJob[]): void {
  for (const entry of entries.toReversed()) {
    const { abortReason } = entry.job;
    if (abortReason === null) entry.job.putBack();
    else entry.reject(abortReason);
  }
}
