import type { SettleReceipt } from '../store.ts';
import type { Completion } from '../transactions.ts';
import { writtenNote } from './annotate.ts';
import { elsewhere, isAbsent } from './foreign.ts';
import { connectionIn, type Statement } from './foreign-kinds.ts';
import { parseToken } from './leases.ts';
import { jsonOf } from './lists.ts';
import { isUuid } from './rows.ts';
import { type Place, quoted } from './url.ts';

/** As much of the store's place as statements of a caller's connection, and their errors, name. */
export type ForeignPlace = Pick<Place, 'schema' | 'host' | 'port' | 'database'>;

/**
 * The end of a job in a transaction of the caller's: one statement through the caller's own connection, two where it has
 * notes. Locks nothing that other jobs need (migrations/0030-departures.sql).
 */
export async function completeForeign(
  tx: unknown,
  { id, token, outcome, note }: Completion,
  { place, now }: { readonly place: ForeignPlace; readonly now: number | undefined },
): Promise<SettleReceipt> {
  const connection = connectionIn(tx);
  const parsed = parseToken(token, id);
  if (parsed === null || !isUuid(id)) return { status: 'lost' };
  const schema = quoted(place.schema);
  const complete: Statement = (
    slot,
  ) => `SELECT ${schema}.complete_in(${slot(0)}::text::bigint, ${slot(1)}::text::bigint,
    ${slot(2)}::text::uuid, ${slot(3)}::text, ${slot(4)}::text::bigint)::text AS completed`;
  try {
    const written = note === undefined ? null : writtenNote(note);
    if (written !== null)
      await connection.query(
        (slot) => `SELECT place::text FROM ${schema}.annotate_batch(${slot(0)}::text::json)`,
        [jsonOf([written])],
      );
    const at = now === undefined ? null : String(Math.floor(now));
    const values = [String(parsed.lease), String(parsed.seq), id, outcome.result, at];
    const [row] = await connection.query(complete, values);
    const { completed } = row as Record<string, string>;
    return completed === 'true' ? { status: 'settled', state: 'completed' } : { status: 'lost' };
  } catch (error) {
    throw isAbsent(error) ? elsewhere(error, place, 'complete_in') : error;
  }
}
