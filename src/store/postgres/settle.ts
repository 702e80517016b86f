import type { JobMove } from '../../core/job-state.ts';
import { LIMITS_NONE, type QueueLimits, staysInLine } from '../../core/limits.ts';
import { isGivenBack, type OutcomeType } from '../../core/outcome.ts';
import { type JobChange, settle as rule, type SettleSubject } from '../../core/settle-rule.ts';
import type { Topic } from '../notifier.ts';
import type { Settlement, SettleReceipt } from '../store.ts';
import { parseToken, type Token } from './leases.ts';
import { arrayOf, isDivisible, jsonOf, textsOf } from './lists.ts';
import { replacedAmong } from './replaced.ts';
import { isUuid, type JobRow, requireMove, type Tx, wholeMs } from './rows.ts';
import type { HotTx } from './verb.ts';

/**
 * Outcomes in, each fenced by its token: the settle rule decides, migrations/0004-settle.sql writes it down. What the
 * rule says of `completed` depends on nothing in the row, so those jobs take one statement and are never read.
 */
export async function settle(tx: HotTx, settlements: readonly Settlement[]): Promise<SettleReceipt[]> {
  const receipts = settlements.map((): SettleReceipt => ({ status: 'lost' }));
  let rest = fenced(settlements);
  if (isSimple(settlements)) {
    await completeAll(tx, rest, receipts);
    return receipts;
  }
  while (rest.length > 0) {
    const round = firstOfEach(rest);
    const taken = new Set(round);
    rest = rest.filter((item) => !taken.has(item));
    await settleRound(tx, round, receipts);
  }
  return receipts;
}

/** Takes one statement: completed jobs alone, none of them twice. */
export function isSimple(settlements: readonly Settlement[]): boolean {
  return settlements.every(isCompleted) && haveOwnJobs(settlements);
}

/** In the order in which they were claimed, as most are, that is seen at one look. */
function haveOwnJobs(settlements: readonly Settlement[]): boolean {
  let last = '';
  const ascend = settlements.every(({ id }) => {
    const before = last;
    last = id;
    return id > before;
  });
  return ascend || new Set(settlements.map(({ id }) => id)).size === settlements.length;
}

interface Fenced extends Token, Settlement {
  /** In the batch. */
  readonly place: number;
}

/** Without those whose id or token no claim ever gave. */
function fenced(settlements: readonly Settlement[]): Fenced[] {
  const items: Fenced[] = [];
  for (const [place, { id, token, outcome }] of settlements.entries()) {
    const parsed = parseToken(token, id);
    if (parsed !== null) items.push({ lease: parsed.lease, seq: parsed.seq, id, token, outcome, place });
  }
  return items;
}

/** Of several outcomes of one job the first that fits counts, so they go one after the other. */
function firstOfEach(items: readonly Fenced[]): Fenced[] {
  const seen = new Set<string>();
  return items.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** And with a result that takes the short way. */
function isCompleted({ outcome }: Settlement): boolean {
  return outcome.type === 'completed' && isDivisible(outcome.result);
}

function resultOf({ outcome }: Settlement): string | null {
  return outcome.type === 'completed' ? outcome.result : null;
}

async function completeAll(tx: HotTx, items: readonly Fenced[], receipts: SettleReceipt[]): Promise<void> {
  if (items.length === 0) return;
  const ordered = inOrder(items);
  const rows = await tx.query<CompletedRow>(...completion(tx, ordered, ordered === items));
  const lost = new Set(rows.map(({ place }) => place));
  for (const { topics } of rows) for (const topic of topics?.split(',') ?? []) tx.topics.add(topic as Topic);
  for (const [index, { place }] of ordered.entries())
    if (!lost.has(index + 1)) receipts[place] = { status: 'settled', state: 'completed' };
}

/** Of a job that was lost, its place, from 1; or 0, and the topics of the hints. */
interface CompletedRow {
  readonly place: number;
  readonly topics: string | null;
}

/** `given`: that is the order in which they ended, too. */
function completion(
  tx: HotTx,
  ordered: readonly Fenced[],
  given: boolean,
): [text: string, values: unknown[]] {
  const results = ordered.map(resultOf);
  const [only] = ordered;
  if (only !== undefined && ordered.length === 1)
    return [
      `SELECT place, topics FROM ${tx.schema}.complete_one($1, $2, $3, $4, $5)`,
      [only.lease, only.seq, resultOf(only), tx.given, tx.sender],
    ];
  const { tokens, firsts, lasts } = rangesOf(ordered);
  const texts = results.every((result) => result === null) ? null : textsOf(results);
  const turns = given ? null : arrayOf(ordered.map(({ place }) => place));
  return [
    `SELECT place, topics FROM ${tx.schema}.complete_batch($1, $2, $3, $4, $5, $6, $7)`,
    [arrayOf(tokens), arrayOf(firsts), arrayOf(lasts), texts, turns, tx.given, tx.sender],
  ];
}

/** By lease and seq, so that neighbours stand together; jobs mostly end in this order by themselves. */
function inOrder(items: readonly Fenced[]): readonly Fenced[] {
  let before = items[0];
  for (const item of items) {
    if (before !== undefined && byPlace(before, item) > 0) return [...items].sort(byPlace);
    before = item;
  }
  return items;
}

function byPlace(one: Fenced, other: Fenced): number {
  return one.lease - other.lease || one.seq - other.seq;
}

/** Jobs of one lease whose numbers have no gap between them are one range. */
function rangesOf(ordered: readonly Fenced[]): Record<'tokens' | 'firsts' | 'lasts', number[]> {
  const ranges = { tokens: [] as number[], firsts: [] as number[], lasts: [] as number[] };
  for (const [index, { lease, seq }] of ordered.entries()) {
    const before = ordered[index - 1];
    if (before?.lease === lease && before.seq === seq - 1) ranges.lasts[ranges.lasts.length - 1] = seq;
    else {
      ranges.tokens.push(lease);
      ranges.firsts.push(seq);
      ranges.lasts.push(seq);
    }
  }
  return ranges;
}

const MOVES: Readonly<Record<OutcomeType, JobMove>> = {
  completed: 'complete',
  retried: 'retry',
  failed: 'fail',
  cancelled: 'cancel',
  snoozed: 'snooze',
  released: 'release',
};

/** Outcomes of different jobs. Where several of them have keys, the next of each comes in the order of the batch. */
async function settleRound(tx: HotTx, round: readonly Fenced[], receipts: SettleReceipt[]): Promise<void> {
  const others = round.filter((item) => !isCompleted(item));
  const completed = round.filter(isCompleted);
  const rows = await lockRunning(tx, others);
  const keyed = rows.some(({ key }) => key !== null) ? await keyedAmong(tx, completed) : NONE;
  await completeAll(
    tx,
    completed.filter(({ seq }) => !keyed.has(seq)),
    receipts,
  );
  if (keyed.size > 0)
    rows.push(
      ...(await lockRunning(
        tx,
        completed.filter(({ seq }) => keyed.has(seq)),
      )),
    );
  await settleByRule(
    tx,
    round.filter((item) => !isCompleted(item) || keyed.has(item.seq)),
    { rows, receipts },
  );
}

const NONE: ReadonlySet<number> = new Set();

async function keyedAmong(tx: HotTx, items: readonly Fenced[]): Promise<ReadonlySet<number>> {
  const rows = await tx.query<{ seq: number }>(
    `SELECT seq FROM ${tx.schema}.job WHERE seq = ANY ($1::bigint[]) AND key IS NOT NULL`,
    [arrayOf(items.map(({ seq }) => seq))],
  );
  return new Set(rows.map(({ seq }) => seq));
}

/** The rows of those of these jobs that run by these tokens. */
async function lockRunning(tx: HotTx, given: readonly Fenced[]): Promise<JobRow[]> {
  const items = given.filter(({ id }) => isUuid(id));
  if (items.length === 0) return [];
  await tx.query(`SELECT ${tx.schema}.ground($1, $2)`, [
    arrayOf(items.map(({ seq }) => seq)),
    arrayOf(items.map(({ lease }) => lease)),
  ]);
  return tx.query<JobRow>(
    `SELECT job.* FROM unnest($1::bigint[], $2::bigint[], $3::uuid[]) AS given (seq, lease, id)
       JOIN ${tx.schema}.job ON job.seq = given.seq AND job.lease = given.lease AND job.id = given.id
     WHERE job.state = 'running' ORDER BY job.seq FOR UPDATE OF job`,
    [items.map(({ seq }) => seq), items.map(({ lease }) => lease), items.map(({ id }) => id)],
  );
}

interface Locked {
  readonly rows: readonly JobRow[];
  readonly receipts: SettleReceipt[];
}

async function settleByRule(tx: HotTx, items: readonly Fenced[], { rows, receipts }: Locked): Promise<void> {
  const jobs = new Map(rows.map((job) => [job.seq, job]));
  const seqs = new Set(items.flatMap(({ seq, outcome }) => (isGivenBack(outcome) ? [seq] : [])));
  const replaced = await replacedAmong(tx, seqs.size === 0 ? [] : rows.filter(({ seq }) => seqs.has(seq)));
  const changes = items.flatMap(({ seq, lease, id, outcome, place }): Change[] => {
    const job = jobs.get(seq);
    // Another token may name the same row.
    if (job === undefined || job.lease !== lease || job.id !== id) return [];
    const change = rule({ ...subjectOf(job), replacedBy: replaced.get(seq) }, outcome, tx.now);
    receipts[place] = { status: 'settled', state: change.state };
    return [{ job, move: MOVES[outcome.type], change }];
  });
  await applyChanges(tx, changes);
}

export function subjectOf(job: JobRow): SettleSubject {
  const { attempt, attempts_max: attemptsMax, crashes } = job;
  return { attempt, attemptsMax, crashes, cancelRequested: job.cancel_requested };
}

/** What becomes of a job whose row this transaction has locked. */
export interface Change {
  readonly job: JobRow;
  readonly move: JobMove;
  readonly change: JobChange;
  /** Its end was asked for, as the job is to say. */
  readonly cancelled?: boolean;
}

/**
 * Writes changes of running jobs, and the ends of waiting ones, and all that follows from them: the trail, the move to
 * history, unique keys, whose turn it is next, the leases, the topics. The rows must be locked, and no job twice.
 */
export async function applyChanges(tx: Tx, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const limits = await limitsFor(tx, changes);
  const written = changes.map(({ job, move, change, cancelled = false }) => {
    requireMove(job, move, change.state);
    const stays = staysInLine(move, change.state, limits.get(job.queue) ?? LIMITS_NONE);
    const error = change.error && JSON.stringify({ ...change.error, at: wholeMs(change.error.at) });
    return { ...change, seq: job.seq, stays, error, cancelled };
  });
  const rows = await tx.query<{ topic: Topic }>(`SELECT topic FROM ${tx.schema}.write_changes($1, $2)`, [
    jsonOf(written),
    tx.now,
  ]);
  for (const { topic } of rows) tx.topics.add(topic);
}

/** Of the queues that have jobs with keys. */
async function limitsFor(tx: Tx, changes: readonly Change[]): Promise<Map<string, QueueLimits>> {
  const queues = new Set(changes.filter(({ job }) => job.key !== null).map(({ job }) => job.queue));
  if (queues.size === 0) return new Map();
  const rows = await tx.query<{ name: string; limits: QueueLimits }>(
    `SELECT name, limits FROM ${tx.schema}.queue WHERE name = ANY ($1) AND limits IS NOT NULL`,
    [[...queues]],
  );
  return new Map(rows.map(({ name, limits }) => [name, limits]));
}
