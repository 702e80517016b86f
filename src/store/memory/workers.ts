import { settle as rule } from '../../core/settle-rule.ts';
import type { BeatReceipt, WorkerBeat, WorkerRecord } from '../store.ts';
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

export function retire(rows: Rows, workerId: string, now: number): void {
  rows.workers.delete(workerId);
  for (const job of heldBy(rows, workerId))
    applyChange(rows, job, 'release', rule(subjectOf(rows, job), { type: 'released' }, now), now);
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
