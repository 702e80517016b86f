import type { QueueLimits, Rate } from '../../core/limits.ts';
import { runningIn } from './leases.ts';
import { roomOf, takeStarts, WHOLE_QUEUE } from './rates.ts';
import { type Tx, wholeMs } from './rows.ts';
import { TURN } from './turns.ts';

/** What a claim may take from a queue with limits. One without takes the short way and asks nothing of this. */

export interface OpenQueue {
  readonly name: string;
  /** Null where nothing is limited. */
  readonly limits: QueueLimits | null;
}

/** How many of `wanted` jobs may start now. */
export function roomIn(tx: Tx, { name, limits }: OpenQueue, wanted: number): number {
  if (limits === null) return wanted;
  const { concurrency, rate } = limits;
  const byConcurrency = concurrency === null ? wanted : concurrency - runningIn(tx, name);
  const byRate = rate === null ? wanted : roomOf(tx, name, WHOLE_QUEUE, rate).room;
  return Math.min(wanted, byConcurrency, byRate);
}

/** When the queue's rate has room again; null when it has. */
export function roomAgainAt(tx: Tx, { name, limits }: OpenQueue): number | null {
  if (limits === null || limits.rate === null) return null;
  const { room, nextAt } = roomOf(tx, name, WHOLE_QUEUE, limits.rate);
  return room > 0 ? null : nextAt;
}

/** Those who were let in among those who never waited for it. */
export const FIRST_IN_LINE = `
  SELECT seq, key FROM (
    SELECT * FROM (
      SELECT seq, key, priority, seq AS place FROM job
      WHERE state = 'ready' AND turn = ${TURN.line} AND queue = ?
      ORDER BY priority, seq LIMIT +?)
    UNION ALL
    SELECT * FROM (
      SELECT seq, key, priority, ticket AS place FROM job
      WHERE turn = ${TURN.letIn} AND queue = ?
      ORDER BY priority, ticket LIMIT +?)
  ) ORDER BY priority, place LIMIT +?`;

/** A claim looks at no more jobs than this; the next one goes on. */
const EXAMINED_MAX = 1_000;
const EXAMINED_AT_ONCE = 100;

/** In the order of the line. */
export interface Choice {
  readonly seqs: readonly number[];
  /** False when there may be more to take at once. */
  readonly final: boolean;
}

/** The first jobs of the line. */
export function chooseByPlace(tx: Tx, queue: string, room: number): Choice {
  return { seqs: firstInLine(tx, queue, room).map(({ seq }) => seq), final: true };
}

/** The first jobs whose keys' rates have room. Those without are put off, in the line of their keys. */
export function chooseByKeyRate(tx: Tx, queue: string, rate: Rate, room: number): Choice {
  const chosen = new Set<number>();
  for (let examined = 0; chosen.size < room; ) {
    const line = firstInLine(tx, queue, chosen.size + EXAMINED_AT_ONCE);
    const fresh = line.filter(({ seq }) => !chosen.has(seq));
    for (const job of fresh) {
      if (chosen.size === room) break;
      if (startsNow(tx, queue, job, rate)) chosen.add(job.seq);
    }
    examined += fresh.length;
    if (fresh.length < EXAMINED_AT_ONCE) break;
    if (examined >= EXAMINED_MAX) return { seqs: [...chosen], final: chosen.size === room };
  }
  return { seqs: [...chosen], final: true };
}

function firstInLine(tx: Tx, queue: string, limit: number): Candidate[] {
  return tx.db.all<Candidate>(FIRST_IN_LINE, queue, limit, queue, limit, limit);
}

interface Candidate {
  readonly seq: number;
  readonly key: string | null;
}

function startsNow(tx: Tx, queue: string, { seq, key }: Candidate, rate: Rate): boolean {
  if (key === null) return true;
  const { room, nextAt } = roomOf(tx, queue, key, rate);
  if (room > 0) takeStarts(tx, queue, key, rate, 1);
  else
    tx.db.run(
      `UPDATE job SET state = 'scheduled', turn = ${TURN.later}, due_at = ? WHERE seq = ?`,
      wholeMs(nextAt),
      seq,
    );
  return room > 0;
}
