import { requireAgeing, untilSweepMs } from '../../core/ageing.ts';
import { AGE_LIMIT_DEFAULT, type AgeReceipt, type AgeRequest, type QueueChange } from '../store.ts';
import type { AgeingRow, JobRow, QueueRow } from './records.ts';
import type { Rows } from './rows.ts';

/** Lowers the priorities of jobs that wait for long. A sweep goes by seq, so no job meets it twice. */
export function age(rows: Rows, { limit = AGE_LIMIT_DEFAULT }: AgeRequest, now: number): AgeReceipt {
  let aged = 0;
  for (const queue of rows.queues.values()) {
    if (queue.ageing === null) continue;
    if (queue.ageing.afterSeq === null && untilSweepMs(queue.ageing, queue.ageing.sweptAt, now) === 0)
      queue.ageing = { ...queue.ageing, sweptAt: now, afterSeq: 0 };
    aged += sweep(rows, queue, queue.ageing, limit - aged);
  }
  const ageing = [...rows.queues.values()].flatMap((queue) => queue.ageing ?? []);
  return {
    aged,
    more: ageing.some(({ afterSeq }) => afterSeq !== null),
    nextMs: ageing.reduce<number | null>(
      (next, row) => Math.min(next ?? Infinity, untilNextMs(row, now)),
      null,
    ),
  };
}

function untilNextMs(row: AgeingRow, now: number): number {
  return row.afterSeq === null ? untilSweepMs(row, row.sweptAt, now) : 0;
}

/** Goes on with the queue's sweep until `room` jobs are aged; how many were. */
function sweep(rows: Rows, queue: QueueRow, row: AgeingRow, room: number): number {
  const { afterSeq } = row;
  if (afterSeq === null) return 0;
  const due: JobRow[] = [];
  let next: number | null = null;
  for (const job of rows.bySeq) {
    if (job.seq <= afterSeq || !isToAge(job, queue, row)) continue;
    if (due.length === room) {
      next = due.at(-1)?.seq ?? afterSeq;
      break;
    }
    due.push(job);
  }
  for (const job of due) {
    rows.rearrange(job, null, () => {
      job.priority -= 1;
    });
  }
  queue.ageing = { ...row, afterSeq: next };
  return due.length;
}

function isToAge(job: JobRow, queue: QueueRow, { everyMs, floor, sweptAt }: AgeingRow): boolean {
  if (job.gone || job.queue !== queue.name || job.state !== 'ready') return false;
  return job.priority > floor && job.dueAt <= sweptAt - everyMs;
}

/** The first sweep comes one interval after ageing was set; other values keep the time of the last one. */
export function changeAgeing(
  before: AgeingRow | null,
  change: QueueChange['ageing'],
  now: number,
): AgeingRow | null {
  if (change === undefined) return before;
  if (change === null) return null;
  const { sweptAt = now, afterSeq = null } = before ?? {};
  return { ...requireAgeing('ageing', change), sweptAt, afterSeq };
}
