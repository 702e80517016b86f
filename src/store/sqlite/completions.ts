import type { Settlement } from '../store.ts';
import { parseToken } from './leases.ts';

/**
 * How settlements of jobs that all completed cross to the store thread: in runs of jobs that were claimed together and
 * stand side by side in the table, as they do when handlers are quick. The thread then never takes a run apart: two
 * statements write it down (complete.ts), and its texts are made and read by the JSON of either side.
 */
export interface Completions {
  /** All jobs of all runs. */
  readonly packed: number;
  readonly runs: readonly Run[];
}

export interface Run {
  readonly batch: number;
  /** The lowest seq; the others follow without a gap. */
  readonly first: number;
  readonly jobs: number;
  /** A JSON array, in the order of seq. */
  readonly ids: string;
  /** A JSON array of texts and nulls; null when all are null. */
  readonly results: string | null;
}

/** Shorter runs, on average, gain nothing. */
const RUN_LENGTH_MIN = 10;

/** SQLite takes no text of a gigabyte, and a large one would be copied more often than it is now. */
const RESULTS_CHARS_MAX = 1_000_000;

/** Null when not all completed, or when they do not make runs. */
export function packCompletions(settlements: readonly Settlement[]): Completions | null {
  const runs: Run[] = [];
  for (let from = 0; from < settlements.length; ) {
    const length = runLength(settlements, from);
    const run = length === 0 ? null : pack(settlements.slice(from, from + length));
    if (run === null) return null;
    runs.push(run);
    if (runs.length * RUN_LENGTH_MIN > settlements.length) return null;
    from += length;
  }
  return { packed: settlements.length, runs };
}

export function settlementsOf({ batch, first, ids, results }: Run): Settlement[] {
  const texts = results === null ? null : (JSON.parse(results) as (string | null)[]);
  return (JSON.parse(ids) as string[]).map((id, index) => ({
    id,
    token: `${batch}.${first + index}`,
    outcome: { type: 'completed', result: texts?.[index] ?? null },
  }));
}

/** 0 when the first one's token is nonsense. */
function runLength(settlements: readonly Settlement[], from: number): number {
  const token = parseToken((settlements[from] as Settlement).token);
  if (token === null) return 0;
  let length = 1;
  while (settlements[from + length]?.token === `${token.batch}.${token.seq + length}`) length += 1;
  return length;
}

function pack(settlements: readonly Settlement[]): Run | null {
  const { batch, seq } = parseToken((settlements[0] as Settlement).token) as { batch: number; seq: number };
  const ids: string[] = [];
  const results: (string | null)[] = [];
  let chars = 0;
  for (const { id, outcome } of settlements) {
    if (outcome.type !== 'completed') return null;
    ids.push(id);
    results.push(outcome.result);
    chars += outcome.result?.length ?? 0;
  }
  if (chars > RESULTS_CHARS_MAX) return null;
  const texts = results.every((result) => result === null) ? null : JSON.stringify(results);
  return { batch, first: seq, jobs: ids.length, ids: JSON.stringify(ids), results: texts };
}
