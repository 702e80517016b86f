import type { EnqueueReceipt, JobSpec } from '../store.ts';
import type { HotTx } from './verb.ts';

/**
 * Jobs in: one statement a batch, whose text is JSON. The database tells only of jobs that are not simply created and
 * ready. Specs apply in order, so a later one of the same batch meets the ids and keys of the earlier ones.
 */
export async function enqueue(tx: HotTx, specs: readonly JobSpec[]): Promise<EnqueueReceipt[]> {
  if (specs.length === 0) return [];
  const rows = await tx.query<NotableRow>(
    `SELECT place, status, id, state FROM ${tx.schema}.enqueue_batch($1, $2, $3, $4)`,
    [textOf(specs), wayOf(specs), tx.given, tx.sender],
  );
  const receipts = specs.map(({ id }): EnqueueReceipt => ({ status: 'created', id, state: 'ready' }));
  for (const { place, status, id, state } of rows) receipts[place - 1] = { status, id, state };
  if (receipts.some(({ status }) => status === 'created' || status === 'replaced')) tx.topics.add('ready');
  return receipts;
}

interface NotableRow extends EnqueueReceipt {
  /** Of the spec, from 1. */
  readonly place: number;
}

/** As in migrations/0003-enqueue.sql. */
const WAY = { plain: 0, keyed: 1, oneByOne: 2 } as const;

function wayOf(specs: readonly JobSpec[]): number {
  if (specs.some(({ unique }) => unique !== null)) return WAY.oneByOne;
  if (new Set(specs.map(({ id }) => id)).size < specs.length) return WAY.oneByOne;
  return specs.some(({ key }) => key !== null) ? WAY.keyed : WAY.plain;
}

/** Half of a pair of surrogates is no text for the database, which refuses it; written as bytes it would be U+FFFD as well. */
function textOf(specs: readonly JobSpec[]): string {
  const text = JSON.stringify(specs);
  return SURROGATE.test(text) ? text.replace(SURROGATE, '\ufffd') : text;
}

/** JSON.stringify escapes a lone surrogate, and a backslash before it as two. */
const SURROGATE = /(?<=(?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;
