import type { QueueLimits } from '../../core/limits.ts';
import type { ClaimReceipt, ClaimRequest } from '../store.ts';
import type { Batch, Claimed, Columns } from './leased.ts';
import { addBatch } from './leases.ts';
import { type Choice, chooseByKeyRate, chooseByPlace, type OpenQueue, roomAgainAt, roomIn } from './quota.ts';
import { takeStarts, WHOLE_QUEUE } from './rates.ts';
import type { JobRow, Tx } from './rows.ts';
import { parseLimits, TURN, turnAfter } from './turns.ts';
import { NEEDS_WRITE } from './verb.ts';

/**
 * Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused, as far as its limits
 * go. An idle worker asks often, so `peekClaim` answers from a read alone whenever there is nothing to do.
 */

export const FIRST_READY = `
  SELECT 1 AS found FROM job WHERE state = 'ready' AND turn = ${TURN.line} AND queue = ? LIMIT 1`;

export const FIRST_TICKET = `
  SELECT 1 AS found FROM job WHERE turn = ${TURN.letIn} AND queue = ? LIMIT 1`;

export const NEXT_DUE = `SELECT min(due_at) AS due_at FROM job WHERE state = 'scheduled' AND queue = ?`;

export const PROMOTE = `
  UPDATE job SET state = 'ready' WHERE seq IN (
    SELECT seq FROM job WHERE state = 'scheduled' AND queue = ? AND due_at <= ? AND key IS NULL
    ORDER BY due_at LIMIT +?)`;

export const DUE_WITH_KEY = `
  SELECT seq, key, turn, ticket FROM job WHERE state = 'scheduled' AND queue = ? AND due_at <= ? AND key IS NOT NULL
  ORDER BY due_at, seq LIMIT +?`;

export const ANY_KEY = `
  SELECT 1 AS found FROM job WHERE key IS NOT NULL AND turn < 2 AND queue = ? LIMIT 1`;

const TO_RUNNING = `SET state = 'running', lease = ?, attempt = attempt + 1, started_at = ?`;
const FIRST_IN_LINE = `FROM job WHERE state = 'ready' AND turn = ${TURN.line} AND queue = ? ORDER BY priority, seq LIMIT +?`;

/** As leased.ts wants them. Each is named twice, since SQLite copies every value that leaves the inner SELECT. */
const columnsOf = (names: readonly string[], source: string): string => `
  SELECT count(*), count(input), count(meta), ${names.map((name) => `json_group_array(${name})`).join(', ')}
  FROM (SELECT ${names.map((name) => `job.${name}${name === 'attempt' ? ' + 1' : ''} AS ${name}`).join(', ')}, job.meta AS meta ${source})`;
const NAMES = 'seq id task input attempt attempts_max crashes priority created_at due_at'.split(' ');

/** Read first, then written without RETURNING, in one transaction: both see the same rows. */
export const FIRST = columnsOf(NAMES, FIRST_IN_LINE);
/** NOT INDEXED: rows that stand side by side are found quicker by their numbers. */
export const LEASE_RANGE = `
  UPDATE job NOT INDEXED ${TO_RUNNING}
  WHERE seq BETWEEN ? AND ? AND state = 'ready' AND turn = ${TURN.line} AND queue = ?`;
export const LEASE_FIRST = `UPDATE job ${TO_RUNNING} WHERE seq IN (SELECT seq ${FIRST_IN_LINE})`;

const CHOSEN = columnsOf(
  [...NAMES, 'key'],
  'FROM json_each(?) AS chosen CROSS JOIN job ON job.seq = chosen.value ORDER BY chosen.key',
);
const LEASE_CHOSEN = `UPDATE job ${TO_RUNNING}, turn = ${TURN.line} WHERE seq IN (SELECT value FROM json_each(?))`;

const METAS = `SELECT seq, meta FROM job WHERE seq IN (SELECT value FROM json_each(?)) AND meta IS NOT NULL`;
const APART = `SELECT seq, input FROM job_input WHERE seq IN (SELECT value FROM json_each(?))`;

/** One claim promotes at most this many jobs a queue, to bound its time; the next claim goes on. */
const PROMOTE_MAX = 10_000;

export function peekClaim(tx: Tx, request: ClaimRequest): ClaimReceipt | typeof NEEDS_WRITE {
  const queues = openQueues(tx, request.queues);
  const nextDueAt = earliestDue(tx, queues);
  if (nextDueAt !== null && nextDueAt <= tx.now) return NEEDS_WRITE;
  if (request.limit > 0 && queues.some((queue) => hasReady(tx, queue) && roomIn(tx, queue, 1) > 0))
    return NEEDS_WRITE;
  return { now: tx.now, leases: [], nextDueAt };
}

export function claim(tx: Tx, request: ClaimRequest): Claimed {
  const queues = openQueues(tx, request.queues);
  for (const queue of queues) promote(tx, queue.name);
  const batches: Batch[] = [];
  let packed = 0;
  let final = true;
  for (const queue of queues) {
    const room = roomIn(tx, queue, request.limit - packed);
    if (room <= 0 || !hasReady(tx, queue)) continue;
    const taken = take(tx, request, queue, room);
    batches.push(taken.batch);
    packed += jobsOf(taken.batch);
    final &&= taken.final;
  }
  return { packed, now: tx.now, batches, nextDueAt: final ? earliestDue(tx, queues) : tx.now };
}

/** Those that are not paused; none while `*`, which stands for all of them, is. */
function openQueues(tx: Tx, names: readonly string[]): OpenQueue[] {
  if (settingsOf(tx, '*')?.paused_at != null) return [];
  return names.flatMap((name) => {
    const settings = settingsOf(tx, name);
    if (settings === undefined) return [{ name, limits: null }];
    // Nobody knows what a queue with damaged settings allows.
    const limits = parseLimits(settings.limits);
    if (limits === null || settings.paused_at !== null) return [];
    return [{ name, limits: settings.limits === null ? null : limits }];
  });
}

/** In the order given. */
export function pausedAmong(tx: Tx, queues: readonly string[]): readonly string[] {
  const open = openQueues(tx, queues);
  return queues.filter((queue) => !open.some(({ name }) => name === queue));
}

function settingsOf(tx: Tx, queue: string): { paused_at: number | null; limits: string | null } | undefined {
  return tx.db.get('SELECT paused_at, limits FROM queue WHERE name = ?', queue);
}

function hasReady(tx: Tx, { name }: OpenQueue): boolean {
  return tx.db.get(FIRST_READY, name) !== undefined || tx.db.get(FIRST_TICKET, name) !== undefined;
}

/** When there may be something to claim again, without a hint. */
function earliestDue(tx: Tx, queues: readonly OpenQueue[]): number | null {
  let earliest: number | null = null;
  for (const queue of queues) {
    const waiting = queue.limits !== null && hasReady(tx, queue);
    for (const at of [nextDue(tx, queue.name), waiting ? roomAgainAt(tx, queue) : null])
      if (at !== null) earliest = Math.min(at, earliest ?? at);
  }
  return earliest;
}

function nextDue(tx: Tx, queue: string): number | null {
  return tx.db.get<{ due_at: number | null }>(NEXT_DUE, queue)?.due_at ?? null;
}

function promote(tx: Tx, queue: string): void {
  const dueAt = nextDue(tx, queue);
  if (dueAt === null || dueAt > tx.now) return;
  const keyed = tx.db.all<Pick<JobRow, 'seq' | 'key' | 'turn' | 'ticket'>>(
    DUE_WITH_KEY,
    queue,
    tx.now,
    PROMOTE_MAX,
  );
  for (const job of keyed) {
    const turn = turnAfter(tx, { ...job, queue }, 'promote', 'ready');
    tx.db.run(`UPDATE job SET state = 'ready', turn = ? WHERE seq = ?`, turn, job.seq);
  }
  tx.db.run(PROMOTE, queue, tx.now, PROMOTE_MAX);
}

interface Taken {
  readonly batch: Batch;
  /** False when there may be more to take at once. */
  readonly final: boolean;
}

function take(tx: Tx, request: ClaimRequest, { name, limits }: OpenQueue, room: number): Taken {
  const choice = choose(tx, name, limits, room);
  const columns =
    choice === null
      ? tx.db.tuple<Columns>(FIRST, name, room)
      : tx.db.tuple<Columns>(CHOSEN, JSON.stringify(choice.seqs));
  const [jobs, inRow, withMeta, seqs] = columns;
  const batch = jobs === 0 ? 0 : addBatch(tx, request, { queue: name, jobs, seqs });
  if (choice !== null) tx.db.run(LEASE_CHOSEN, batch, tx.now, seqs);
  else leaseFirst(tx, batch, { queue: name, room, seqs });
  if (limits?.rate != null && jobs > 0) takeStarts(tx, name, WHOLE_QUEUE, limits.rate, jobs);
  const apart = inRow < jobs ? tx.db.tuples<[number, string]>(APART, seqs) : [];
  const metas = withMeta > 0 ? tx.db.tuples<[number, string]>(METAS, seqs) : [];
  return {
    batch: { batch, queue: name, claimedAt: tx.now, columns, apart, metas },
    final: choice?.final ?? true,
  };
}

function jobsOf({ columns: [jobs] }: Batch): number {
  return jobs;
}

/** Null where no job has a key: then `job_ready` alone tells who is first. */
function choose(tx: Tx, queue: string, limits: QueueLimits | null, room: number): Choice | null {
  if (limits !== null && limits.perKey.rate !== null)
    return chooseByKeyRate(tx, queue, limits.perKey.rate, room);
  return tx.db.get(ANY_KEY, queue) === undefined ? null : chooseByPlace(tx, queue, room);
}

interface FirstOnes {
  readonly queue: string;
  readonly room: number;
  readonly seqs: string;
}

function leaseFirst(tx: Tx, batch: number, { queue, room, seqs }: FirstOnes): void {
  const range = rangeOf(JSON.parse(seqs) as number[]);
  if (range === null) tx.db.run(LEASE_FIRST, batch, tx.now, queue, room);
  else tx.db.run(LEASE_RANGE, batch, tx.now, ...range, queue);
}

/** From the lowest to the highest, when none between them is missing. */
function rangeOf(seqs: readonly number[]): [from: number, to: number] | null {
  let [from, to] = [Number.POSITIVE_INFINITY, 0];
  for (const seq of seqs) {
    if (seq < from) from = seq;
    if (seq > to) to = seq;
  }
  return to - from === seqs.length - 1 ? [from, to] : null;
}
