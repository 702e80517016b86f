import type { ClaimReceipt, ClaimRequest, Lease } from '../store.ts';
import { parseToken, tokenOf } from './leases.ts';
import { DIVIDER, NULL } from './lists.ts';
import { wholeMs } from './rows.ts';
import type { HotTx } from './verb.ts';

/**
 * Jobs out: promotes what is due, then leases the first jobs of each queue that is not paused, as far as its limits
 * go. All of it is one statement (migrations/0005-claim.sql), which writes nothing when there is nothing to do. Many jobs
 * come in a row, as lists: both sides do less than for rows of single values.
 */
export async function claim(tx: HotTx, request: ClaimRequest): Promise<ClaimReceipt> {
  const { workerId, queues, limit, leaseMs } = request;
  const rows = await tx.tuples<ClaimedRow>(
    `SELECT head, queue, tasks, keys, inputs FROM ${tx.schema}.claim_jobs($1, $2, $3, $4, $5, $6)`,
    [workerId, tx.claimId(request), [...queues], Math.min(limit, LIMIT_MAX), wholeMs(leaseMs), tx.given],
  );
  const [now = '', nextDueAt] = (rows.pop() as ClaimedRow)[0].split(';');
  const leases = leasesOf(rows, Number(now));
  return { now: Number(now), leases, nextDueAt: nextDueAt === '' ? null : Number(nextDueAt) };
}

/** What the database takes. */
const LIMIT_MAX = 2 ** 31 - 1;

/** As `claim_jobs` tells of them. */
type ClaimedRow = readonly [
  head: string,
  queue: string,
  tasks: string,
  key: string | null,
  inputs: string | null,
];

/** A row's head, taken apart. */
type Head = readonly [
  lease: string,
  mixed: 't' | 'f',
  jobs: string,
  isJson: 't' | 'f',
  seqs: string,
  ids: string,
  priorities: string,
  attempts: string,
  attemptsMax: string,
  crashes: string,
  createdAt: string,
  dueAt: string,
  /** Of a job that has it, in pieces where it has a semicolon. */
  ...meta: string[],
];

function leasesOf(rows: readonly ClaimedRow[], claimedAt: number): Lease[] {
  const leases: Lease[] = [];
  let mixedFrom: number | null = null;
  for (const [index, row] of rows.entries()) {
    const [text, queue] = row;
    const head = text.split(';') as unknown as Head;
    if (head[1] === 't') mixedFrom ??= leases.length;
    add(leases, row, head, claimedAt);
    if (mixedFrom === null || rows[index + 1]?.[1] === queue) continue;
    leases.push(...leases.splice(mixedFrom).sort(byPlace));
    mixedFrom = null;
  }
  return leases;
}

/** Of jobs of which none was ever held, the place in the line is the seq. */
function byPlace(one: Lease, other: Lease): number {
  return one.priority - other.priority || seqOf(one) - seqOf(other);
}

function seqOf({ token, id }: Lease): number {
  return parseToken(token, id)?.seq ?? Number.NaN;
}

/** The jobs of a row; nearly all of them differ in id and input alone. */
function add(leases: Lease[], row: ClaimedRow, head: Head, claimedAt: number): void {
  const [, queue, , key] = row;
  const [
    number,
    ,
    ,
    ,
    seqList,
    idList,
    priorityList,
    attemptList,
    maxList,
    crashList,
    createdList,
    dueList,
    ...metaParts
  ] = head;
  const lease = Number(number);
  const seqs = numbers(seqList);
  const [firstSeq = 0] = seqs;
  const { tasks, inputs } = textsOf(row, head);
  const priorities = numbers(priorityList);
  const attempts = numbers(attemptList);
  const attemptsMax = numbers(maxList);
  const crashes = numbers(crashList);
  const created = numbers(createdList);
  const due = numbers(dueList);
  const meta = metaParts.length === 0 ? null : metaParts.join(';');
  for (const [index, id] of idList.split(',').entries()) {
    const seq = seqs.length === 1 ? firstSeq + index : at(seqs, index);
    leases.push({
      id,
      token: tokenOf(lease, seq, id),
      claimedAt,
      queue,
      task: at(tasks, index),
      key,
      input: inputs[index] ?? null,
      meta,
      attempt: at(attempts, index),
      attemptsMax: at(attemptsMax, index),
      crashes: at(crashes, index),
      priority: at(priorities, index),
      createdAt: at(created, index),
      dueAt: at(due, index),
    });
  }
}

/** Of a job, in a list that has one value where it is the same for all. */
function at<Value>(list: readonly Value[], index: number): Value {
  return (list.length === 1 ? list[0] : list[index]) as Value;
}

function numbers(list: string): number[] {
  return list.includes(',') ? list.split(',').map(Number) : [Number(list)];
}

interface Texts {
  readonly tasks: readonly string[];
  readonly inputs: readonly (string | null)[];
}

function textsOf([, , tasks, , inputs]: ClaimedRow, [, , jobs, isJson]: Head): Texts {
  if (jobs === '1') return { tasks: [tasks], inputs: [inputs] };
  if (isJson === 't') return { tasks: JSON.parse(tasks), inputs: JSON.parse(inputs as string) };
  const given = (inputs as string).split(DIVIDER);
  return { tasks: tasks.split(DIVIDER), inputs: given.map((input) => (input === NULL ? null : input)) };
}
