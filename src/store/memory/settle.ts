import { isTerminal, type JobMove } from '../../core/job-state.ts';
import type { OutcomeType } from '../../core/outcome.ts';
import { type JobChange, settle as rule, type SettleSubject } from '../../core/settle-rule.ts';
import { keepError, keepLogs } from '../../core/trail.ts';
import type { AnnotateReceipt, Note, Settlement, SettleReceipt } from '../store.ts';
import { type JobRow, keepsNothing } from './records.ts';
import type { Rows } from './rows.ts';

const MOVES: Readonly<Record<OutcomeType, JobMove>> = {
  completed: 'complete',
  retried: 'retry',
  failed: 'fail',
  cancelled: 'cancel',
  snoozed: 'snooze',
  released: 'release',
};

/** Outcomes in, each fenced by its token; the settle rule decides, this writes it down. */
export function settle(rows: Rows, settlements: readonly Settlement[], now: number): SettleReceipt[] {
  return settlements.map(({ id, token, outcome }) => {
    const job = leased(rows, id, token);
    if (job === undefined) return { status: 'lost' };
    const change = rule(subjectOf(rows, job), outcome, now);
    applyChange(rows, job, MOVES[outcome.type], change, now);
    return { status: 'settled', state: change.state };
  });
}

export function subjectOf({ keys }: Rows, job: JobRow): SettleSubject {
  if (job.uniqueKey === null) return job;
  const holder = keys.get(job.uniqueKey)?.id ?? null;
  return holder === job.id ? job : { ...job, replacedBy: holder };
}

export function annotate(rows: Rows, notes: readonly Note[]): AnnotateReceipt[] {
  return notes.map(({ id, token, progress, logs }) => {
    const job = leased(rows, id, token);
    if (job === undefined) return 'lost';
    if (progress !== undefined) job.progress = progress;
    keepLogs(
      job,
      (logs ?? []).map((line) => ({ ...line })),
    );
    return 'noted';
  });
}

/** Writes down what the settle rule returned for a running job, and all that follows from it. */
export function applyChange(rows: Rows, job: JobRow, move: JobMove, change: JobChange, now: number): void {
  rows.move(job, move, change.state, () => {
    job.attempt = change.attempt;
    job.crashes = change.crashes;
    job.dueAt = change.dueAt ?? job.dueAt;
    job.finishedAt = change.finishedAt ?? null;
    job.result = change.result ?? null;
    job.token = null;
    job.workerId = null;
    job.leaseExpiresAt = null;
  });
  if (change.error !== undefined) keepError(job, { ...change.error });
  if (isTerminal(job.state)) finish(rows, job, now);
  else rows.topics.add('ready');
  hintRoom(rows, job.queue);
}

/** Something stopped running: where a limit made others wait, they may have room now. */
export function hintRoom(rows: Rows, queue: string): void {
  if (rows.queue(queue).limits.concurrency !== null) rows.topics.add('ready');
}

/** A job that has just ended gives its key up, unless the key's period runs on, and goes where retention is 0. */
export function finish(rows: Rows, job: JobRow, now: number): void {
  rows.topics.add('settled');
  const hold = job.uniqueKey === null ? undefined : rows.keys.get(job.uniqueKey);
  if (hold?.id === job.id) {
    hold.state = job.state;
    if (hold.untilAt <= now) rows.keys.delete(job.uniqueKey as string);
  }
  if (isTerminal(job.state) && keepsNothing(rows.queue(job.queue).retention[job.state])) rows.remove([job]);
}

function leased(rows: Rows, id: string, token: string): JobRow | undefined {
  const job = rows.jobs.get(id);
  return job?.token === token ? job : undefined;
}
