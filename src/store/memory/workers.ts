import { settle as rule } from '../../core/settle-rule.ts';
import type { BeatReceipt, DisownRequest, GivenBack, WorkerBeat, WorkerRecord } from '../store.ts';
import { pausedAmong } from './claim.ts';
import type { JobRow, WorkerRow } from './records.ts';
import type { Rows } from './rows.ts';
import { applyChange, subjectOf } from './settle.ts';

/** The worker registry, and the leases that live and end with a worker. */
export function beat(rows: Rows, request: WorkerBeat, now: number): BeatReceipt {
  const { worker, load, leaseMs } = request;
  rows.workers.set(worker.id, {
    info: structuredClone(worker),
    load: structuredClone(load),
    leaseMs,
    seenAt: now,
  });
  const held = heldBy(rows, worker.id);
  for (const job of held) job.leaseExpiresAt = now + leaseMs;
  return {
    now,
    cancelled: held.filter((job) => job.cancelRequested).map((job) => job.id),
    held: held.map((job) => job.id),
    paused: pausedAmong(rows, worker.queues),
  };
}

export function retire(rows: Rows, workerId: string, now: number): GivenBack[] {
  rows.workers.delete(workerId);
  return release(rows, heldBy(rows, workerId), now);
}

export function disown(rows: Rows, { workerId, jobs, before }: DisownRequest, now: number): GivenBack[] {
  const asked = new Set(jobs);
  const held = heldBy(rows, workerId);
  return release(
    rows,
    held.filter(({ id, startedAt }) => asked.has(id) && startedAt !== null && startedAt < before),
    now,
  );
}

function release(rows: Rows, jobs: readonly JobRow[], now: number): GivenBack[] {
  return jobs.map((job) => {
    const change = rule(subjectOf(rows, job), { type: 'released' }, now);
    applyChange(rows, job, 'release', change, now);
    const { id, queue, task } = job;
    return { id, queue, task, attempt: change.attempt, state: change.state };
  });
}

export function workers(rows: Rows, now: number): WorkerRecord[] {
  return [...rows.workers.values()].map((worker) => ({
    ...structuredClone(worker.info),
    ...worker.load,
    seenAt: worker.seenAt,
    running: rows.held.get(worker.info.id)?.size ?? 0,
    alive: isAlive(worker, now),
  }));
}

export function isAlive(worker: WorkerRow, now: number): boolean {
  return worker.seenAt + worker.leaseMs > now;
}

function heldBy(rows: Rows, workerId: string): JobRow[] {
  return [...(rows.held.get(workerId) ?? [])];
}
