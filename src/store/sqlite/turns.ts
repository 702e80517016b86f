import type { JobMove, JobState } from '../../core/job-state.ts';
import { keyWindow, LIMITS_NONE, type QueueLimits, staysInLine } from '../../core/limits.ts';
import { isLimits, parseStored } from '../stored-settings.ts';
import type { JobRow, Tx } from './rows.ts';

/**
 * Whose turn it is among the jobs of a key: the column `turn` of the table `job`. A job without a key is always in the
 * line. Who is in the line is counted in the index `job_key` whenever it matters; no counter is kept beside the rows.
 */
export const TURN = {
  /** In the line, but put off until its key's rate has room. */
  later: -1,
  line: 0,
  /** Ready and in the line with a ticket: it was held before. */
  letIn: -2,
  /** Ready, and waits for one of its key to leave the line. */
  held: 1,
  /** Scheduled or ended. */
  none: 2,
} as const;

/** All three stay within `job_key`, whose rows are those with a key and `turn < 2`. */
export const LINE_LENGTH = `
  SELECT count(*) AS jobs FROM job WHERE queue = ? AND key = ? AND turn <= ${TURN.line} AND turn < 2`;
export const FIRST_HELD = `
  SELECT seq FROM job WHERE queue = ? AND key = ? AND turn = ${TURN.held} AND turn < 2
  ORDER BY priority, seq LIMIT 1`;
export const YOUNGEST_READY = `
  SELECT seq FROM job WHERE queue = ? AND key = ? AND turn <= ${TURN.line} AND turn < 2 AND state = 'ready'
  ORDER BY priority DESC, seq DESC LIMIT +?`;

type Keyed = Pick<JobRow, 'queue' | 'key' | 'turn' | 'ticket'>;

/** Those of a queue that nobody configured, or whose row is damaged, are LIMITS_NONE; nothing of the latter is given out. */
export function limitsOf(tx: Tx, queue: string): QueueLimits {
  const row = tx.db.get<{ limits: string | null }>('SELECT limits FROM queue WHERE name = ?', queue);
  return parseLimits(row?.limits ?? null) ?? LIMITS_NONE;
}

/** Written by configureQueue alone; null where they cannot be read. */
export function parseLimits(text: string | null): QueueLimits | null {
  if (text === null) return LIMITS_NONE;
  const limits = parseStored(text);
  return isLimits(limits) ? limits : null;
}

/** The turn of a job that `move` takes to `state`. Its row must still be as it was. */
export function turnAfter(tx: Tx, job: Keyed, move: JobMove, state: JobState): number {
  const { queue, key } = job;
  if (key === null) return inLine(job, state);
  const limits = limitsOf(tx, queue);
  if (isInLine(job) && staysInLine(move, state, limits)) return inLine(job, state);
  return state === 'ready' ? turnOfReady(tx, job, limits) : TURN.none;
}

/** The turn of a job that newly comes to a key. */
export function newTurn(tx: Tx, job: Omit<Keyed, 'turn'>, state: JobState): number {
  if (job.key === null) return inLine(job, state);
  return state === 'ready' ? turnOfReady(tx, job, limitsOf(tx, job.queue)) : TURN.none;
}

function turnOfReady(tx: Tx, job: Omit<Keyed, 'turn'>, limits: QueueLimits): number {
  return lineLength(tx, job.queue, job.key ?? '') < keyWindow(limits) ? inLine(job, 'ready') : TURN.held;
}

/** A job that was held once keeps the place it was given then. */
function inLine({ ticket }: Pick<JobRow, 'ticket'>, state: JobState): number {
  return state === 'ready' && ticket !== null ? TURN.letIn : TURN.line;
}

/** How many more of a key may come into the line; 0 or less when it is full. */
export function roomInLine(tx: Tx, queue: string, key: string): number {
  return keyWindow(limitsOf(tx, queue)) - lineLength(tx, queue, key);
}

export function lineLength(tx: Tx, queue: string, key: string): number {
  return tx.db.get<{ jobs: number }>(LINE_LENGTH, queue, key)?.jobs ?? 0;
}

/** Lets the next of a key in after `job`, as it was, left the line; to be called once its row is written or deleted. */
export function afterLeaving(tx: Tx, job: Keyed): void {
  if (job.key !== null && isInLine(job)) admit(tx, job.queue, job.key);
}

/** Lets the next jobs of a key in, to the end of the line. */
export function admit(tx: Tx, queue: string, key: string): void {
  let next = firstHeld(tx, queue, key);
  if (next === undefined) return;
  const window = keyWindow(limitsOf(tx, queue));
  for (let length = lineLength(tx, queue, key); next !== undefined && length < window; length += 1) {
    tx.db.run(`UPDATE job SET turn = ${TURN.letIn}, ticket = ? WHERE seq = ?`, nextNumber(tx), next.seq);
    tx.topics.add('ready');
    next = firstHeld(tx, queue, key);
  }
}

function isInLine({ turn }: Keyed): boolean {
  return turn <= TURN.line;
}

function firstHeld(tx: Tx, queue: string, key: string): { seq: number } | undefined {
  return tx.db.get(FIRST_HELD, queue, key);
}

/** Of the sequence that numbers the jobs, so that who is let in stands behind all that came before. */
function nextNumber(tx: Tx): number {
  const row = tx.db.get<{ seq: number }>(
    `UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'job' RETURNING seq`,
  );
  return row?.seq ?? 0;
}

/** Lets the line of every key be as long as the new limits say: the youngest go back, or more are let in. */
export function rearrange(tx: Tx, queue: string, limits: QueueLimits): void {
  tx.db.run(
    `UPDATE job SET state = 'ready', turn = iif(ticket IS NULL, ${TURN.line}, ${TURN.letIn}), due_at = ?
     WHERE queue = ? AND key IS NOT NULL AND turn = ${TURN.later} AND turn < 2`,
    tx.now,
    queue,
  );
  if (!limits.perKey.ordered)
    tx.db.run(
      `UPDATE job SET turn = ${TURN.none}
       WHERE queue = ? AND key IS NOT NULL AND turn <= ${TURN.line} AND turn < 2 AND state = 'scheduled'`,
      queue,
    );
  for (const key of keysOf(tx, queue)) {
    const surplus = lineLength(tx, queue, key) - keyWindow(limits);
    if (surplus > 0)
      tx.db.run(`UPDATE job SET turn = ${TURN.held} WHERE seq IN (${YOUNGEST_READY})`, queue, key, surplus);
    else admit(tx, queue, key);
  }
}

function keysOf(tx: Tx, queue: string): string[] {
  const rows = tx.db.all<{ key: string }>(
    'SELECT DISTINCT key FROM job WHERE queue = ? AND key IS NOT NULL AND turn < 2',
    queue,
  );
  return rows.map(({ key }) => key).sort();
}
