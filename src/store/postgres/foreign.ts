import { charsOfSpec, cut } from '../../core/batch.ts';
import { LongshoreError } from '../../core/errors.ts';
import type { JobState } from '../../core/job-state.ts';
import type { EnqueueReceipt, JobSpec } from '../store.ts';
import { whereIs } from './errors.ts';
import { connectionIn, type Statement } from './foreign-kinds.ts';
import { type Place, quoted } from './url.ts';

/**
 * Jobs in a transaction of the caller's: a statement, or several for a large batch, through the caller's own connection, whichever library opened
 * it. The schema's function does the rest, notification included, which PostgreSQL gives with the commit. Nothing is
 * repeated and no error of the driver is changed: the transaction is the caller's, to end and to try again.
 */
export async function enqueueForeign(
  tx: unknown,
  specs: readonly JobSpec[],
  { place, now, charsMax }: Circumstances,
): Promise<EnqueueReceipt[]> {
  const connection = connectionIn(tx);
  if (specs.length === 0) return [];
  const statement: Statement = (slot) => `SELECT status, id::text AS id, state::text AS state
    FROM ${quoted(place.schema)}.enqueue_specs(${slot(0)}::text, ${slot(1)}::text::bigint)`;
  const at = now === undefined ? null : String(Math.floor(now));
  const receipts: EnqueueReceipt[] = [];
  try {
    for (const piece of cut(specs, charsOfSpec, charsMax)) {
      const rows = await connection.query(statement, [JSON.stringify(piece, wellFormed), at]);
      for (const row of rows) receipts.push(receiptOf(row));
    }
  } catch (error) {
    throw isAbsent(error) ? elsewhere(error, place, 'enqueue_specs') : error;
  }
  return receipts;
}

interface Circumstances {
  readonly place: Place;
  readonly now: number | undefined;
  /** Of one statement. */
  readonly charsMax: number;
}

/** Half of a pair of surrogates is refused by the database, and would take the caller's transaction along. */
function wellFormed(_field: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

function receiptOf(row: unknown): EnqueueReceipt {
  const { status, id, state } = row as Record<string, string>;
  return { status: status as EnqueueReceipt['status'], id: id as string, state: state as JobState };
}

/** undefined_function and invalid_schema_name: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const ABSENT = ['42883', '3F000'];

/** Libraries put the driver's error into one of their own, at places of their own. */
export function isAbsent(error: unknown, depth = 4): boolean {
  if (typeof error !== 'object' || error === null || depth === 0) return false;
  const { code, originalCode, cause, meta, driverAdapterError } = error as Record<string, unknown>;
  if ([code, originalCode].some((state) => ABSENT.includes(String(state)))) return true;
  return [cause, meta, driverAdapterError].some((inner) => isAbsent(inner, depth - 1));
}

export function elsewhere(
  cause: unknown,
  place: Pick<Place, 'schema' | 'host' | 'port' | 'database'>,
  named: string,
): LongshoreError {
  const { host, port, database, schema } = place;
  return new LongshoreError(
    'OPTION_INVALID',
    `tx is a transaction in a database that has no ${schema}.${named}; expected one on ${whereIs(place)}, where this store's jobs are. If it is that database, run longshore migrate with this store's URL.`,
    { cause, details: { field: 'tx', host, port, database, schema } },
  );
}
