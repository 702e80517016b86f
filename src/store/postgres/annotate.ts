import type { AnnotateReceipt, Note } from '../store.ts';
import { parseToken, type Token } from './leases.ts';
import { jsonOf } from './lists.ts';
import { isUuid, wholeMs } from './rows.ts';
import type { HotTx } from './verb.ts';

/** As in migrations/0004-settle.sql. */
export interface WrittenNote extends Token {
  readonly id: string;
  readonly clears: boolean;
  /** Null = as it is, unless it is cleared. */
  readonly progress: string | null;
  /** JSON each. */
  readonly logs: readonly string[];
}

/** Progress and log lines of running jobs, fenced as their outcomes are. */
export async function annotate(tx: HotTx, notes: readonly Note[]): Promise<AnnotateReceipt[]> {
  const receipts = notes.map((): AnnotateReceipt => 'lost');
  const written: WrittenNote[] = [];
  const places: number[] = [];
  for (const [place, note] of notes.entries()) {
    const own = writtenNote(note);
    if (own === null) continue;
    written.push(own);
    places.push(place);
  }
  if (written.length === 0) return receipts;
  const rows = await tx.query<{ place: number }>(`SELECT place FROM ${tx.schema}.annotate_batch($1)`, [
    jsonOf(written),
  ]);
  const lost = new Set(rows.map(({ place }) => place));
  for (const [index, place] of places.entries()) if (!lost.has(index + 1)) receipts[place] = 'noted';
  return receipts;
}

/** Null for a token that no claim ever gave. */
export function writtenNote({ id, token, progress, logs = [] }: Note): WrittenNote | null {
  const parsed = parseToken(token, id);
  if (parsed === null || !isUuid(id)) return null;
  const lines = logs.map((line) => JSON.stringify({ ...line, at: wholeMs(line.at) }));
  return { ...parsed, id, clears: progress === null, progress: progress ?? null, logs: lines };
}
