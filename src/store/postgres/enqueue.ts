import type { EnqueueReceipt, JobSpec } from '../store.ts';
import { uuidArray } from './binary.ts';
import { arrayOf, isDivisible, jsonOf, textsOf } from './lists.ts';
import type { HotTx } from './verb.ts';

/**
 * Jobs in: one statement a batch (migrations/0003-enqueue.sql). The database tells only of jobs that are not simply
 * created and ready. Specs apply in order, so a later one of the same batch meets the ids and keys of the earlier ones.
 */
export async function enqueue(tx: HotTx, specs: readonly JobSpec[]): Promise<EnqueueReceipt[]> {
  if (specs.length === 0) return [];
  const rows = await tx.query<NotableRow>(...statement(tx, specs));
  const receipts = specs.map(({ id }): EnqueueReceipt => ({ status: 'created', id, state: 'ready' }));
  for (const { place, status, id, state } of rows) receipts[place - 1] = { status, id, state };
  const before = specs.some((spec, index) => wasAdded(spec, receipts[index]));
  // By the try before, which others see before it is on the disk (enqueue_early).
  if (before) await tx.query(`SELECT ${tx.schema}.wait_for_disk()`);
  if (before || receipts.some(({ status }) => status === 'created' || status === 'replaced'))
    tx.topics.add('ready');
  return receipts;
}

/** By a try before this one, of which perhaps nobody was told. */
function wasAdded({ id, isNew }: JobSpec, receipt: EnqueueReceipt | undefined): boolean {
  return isNew === false && receipt?.status === 'existing' && receipt.id === id;
}

interface NotableRow extends EnqueueReceipt {
  /** Of the spec, from 1. */
  readonly place: number;
}

type Statement = [text: string, values: unknown[]];

function statement(tx: HotTx, specs: readonly JobSpec[]): Statement {
  const [only] = specs;
  if (only !== undefined && specs.length === 1 && only.unique === null && isBare(only))
    return oneStatement(tx, only);
  const oneByOne = specs.some(({ unique }) => unique !== null) || !haveOwnIds(specs);
  if (!oneByOne && specs.every(isPlain))
    return areAlike(specs) ? alikeStatement(tx, specs) : plainStatement(tx, specs);
  return [
    `SELECT place, status, id, state FROM ${tx.schema}.enqueue_batch($1, $2, $3, $4, $5)`,
    [jsonOf(specs), oneByOne ? WAY.oneByOne : WAY.together, areNew(specs), tx.given, tx.sender],
  ];
}

function oneStatement(tx: HotTx, spec: JobSpec): Statement {
  const { id, isNew = false, queue, task, priority, input, attemptsMax, delayMs, dueAt } = spec;
  // Who is not to be told of the job has no use for it before it is on the disk.
  if (tx.single && tx.sender !== null && isNew && delayMs === 0 && dueAt === null)
    return [
      `CALL ${tx.schema}.enqueue_early($1, $2, $3, $4, $5, $6, $7, $8)`,
      [id, queue, task, priority, input, attemptsMax, tx.given, tx.sender],
    ];
  return [
    `SELECT place, status, id, state FROM ${tx.schema}.enqueue_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [id, queue, task, priority, input, attemptsMax, delayMs, dueAt, isNew, tx.given, tx.sender],
  ];
}

/** Ids that were made one after the other, as those of a batch mostly are, are told to differ by that. */
export function haveOwnIds(specs: readonly JobSpec[]): boolean {
  return areAscending(specs) || new Set(specs.map(({ id }) => id)).size === specs.length;
}

function areAscending(specs: readonly JobSpec[]): boolean {
  let last = '';
  for (const { id } of specs) {
    if (id <= last) return false;
    last = id;
  }
  return true;
}

function areAlike(specs: readonly JobSpec[]): boolean {
  const { queue, task, priority, attemptsMax } = specs[0] as JobSpec;
  return specs.every(
    (spec) =>
      spec.queue === queue &&
      spec.task === task &&
      spec.priority === priority &&
      spec.attemptsMax === attemptsMax &&
      spec.dueAt === null &&
      spec.delayMs === 0,
  );
}

function alikeStatement(tx: HotTx, specs: readonly JobSpec[]): Statement {
  const { queue, task, priority, attemptsMax } = specs[0] as JobSpec;
  const ids = specs.map(({ id }) => id);
  return [
    `SELECT place, status, id, state FROM ${tx.schema}.enqueue_alike($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      idsOf(tx, ids),
      textsOf(specs.map(({ input }) => input)),
      queue,
      task,
      priority,
      attemptsMax,
      lookedFor(specs),
      tx.given,
      tx.sender,
    ],
  ];
}

function idsOf(tx: HotTx, ids: readonly string[]): Buffer | string {
  return (tx.binary ? uuidArray(ids) : null) ?? arrayOf(ids);
}

/** The first of the ids, which ended jobs may have; null: they are new. */
function lookedFor(specs: readonly JobSpec[]): string | null {
  if (areNew(specs)) return null;
  return specs.reduce((earliest, { id }) => (id < earliest ? id : earliest), (specs[0] as JobSpec).id);
}

function areNew(specs: readonly JobSpec[]): boolean {
  return specs.every(({ isNew }) => isNew === true);
}

/** The same again, as it is sent when nobody knows whether it was done. */
export function repeated(specs: readonly JobSpec[]): readonly JobSpec[] {
  return specs.map((spec) => ({ ...spec, isNew: false }));
}

/** As in migrations/0003-enqueue.sql. */
export const WAY = { together: 1, oneByOne: 2 } as const;

/** Has what most jobs have: such a job may wait and run without its row being written. */
function isBare({ key, meta }: JobSpec): boolean {
  return key === null && meta == null;
}

function isPlain(spec: JobSpec): boolean {
  const { queue, task, input } = spec;
  return isBare(spec) && isDivisible(queue) && isDivisible(task) && isDivisible(input);
}

function plainStatement(tx: HotTx, specs: readonly JobSpec[]): Statement {
  const ids = specs.map(({ id }) => id);
  return [
    `SELECT place, status, id, state
     FROM ${tx.schema}.enqueue_plain($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      idsOf(tx, ids),
      textsOf(specs.map(({ queue }) => queue)),
      textsOf(specs.map(({ task }) => task)),
      arrayOf(specs.map(({ priority }) => priority)),
      textsOf(specs.map(({ input }) => input)),
      arrayOf(specs.map(({ attemptsMax }) => attemptsMax)),
      arrayOf(specs.map(({ delayMs }) => delayMs)),
      arrayOf(specs.map(({ dueAt }) => dueAt)),
      lookedFor(specs),
      tx.given,
      tx.sender,
    ],
  ];
}
