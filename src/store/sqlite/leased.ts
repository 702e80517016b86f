import type { ClaimReceipt, Lease } from '../store.ts';

/**
 * How leased jobs cross from the store thread to the caller's: by columns, each a JSON array that SQLite wrote and the
 * caller's thread reads. The store thread, which is the busier one, handles a text a column instead of a dozen values a
 * job, and texts cross at the price of a copy.
 */
export interface Claimed extends Pick<ClaimReceipt, 'now' | 'nextDueAt'> {
  /** All jobs of all batches. */
  readonly packed: number;
  readonly batches: readonly Batch[];
}

export interface Batch {
  readonly batch: number;
  readonly queue: string;
  readonly claimedAt: number;
  readonly columns: Columns;
  /** Inputs that are too large for a row (inputs.ts), by seq. */
  readonly apart: readonly (readonly [seq: number, input: string])[];
  /** Of the few jobs that have it, by seq. */
  readonly metas: readonly (readonly [seq: number, meta: string])[];
}

/** As claim.ts selects them; all but the counts are JSON arrays. */
export type Columns = readonly [
  jobs: number,
  inRow: number,
  withMeta: number,
  seq: string,
  id: string,
  task: string,
  input: string,
  attempt: string,
  attemptsMax: string,
  crashes: string,
  priority: string,
  createdAt: string,
  dueAt: string,
  /** Missing where no job has a key. */
  key?: string,
];

export function leasesOf({ now, nextDueAt, batches }: Claimed): ClaimReceipt {
  return { now, nextDueAt, leases: batches.flatMap(leasesOfBatch) };
}

function leasesOfBatch({ batch, queue, claimedAt, columns, apart, metas }: Batch): Lease[] {
  const [jobs, , , seq, id, task, input, ...others] = columns;
  const [attempt, attemptsMax, crashes, priority, createdAt, dueAt, key] = others;
  const seqs = read<number>(seq, jobs);
  const ids = read<string>(id, jobs);
  const tasks = read<string>(task, jobs);
  const inputs = read<string | null>(input, jobs);
  const large = new Map(apart);
  const metaOf = new Map(metas);
  const attempts = read<number>(attempt, jobs);
  const attemptsMaxes = read<number>(attemptsMax, jobs);
  const crashCounts = read<number>(crashes, jobs);
  const priorities = read<number>(priority, jobs);
  const createdAts = read<number>(createdAt, jobs);
  const dueAts = read<number>(dueAt, jobs);
  const keys = key === undefined ? [] : read<string | null>(key, jobs);
  return seqs.map((place, index) => ({
    id: ids[index] as string,
    token: `${batch}.${place}`,
    claimedAt,
    queue,
    task: tasks[index] as string,
    key: keys[index] ?? null,
    input: inputs[index] ?? large.get(place) ?? null,
    meta: metaOf.get(place) ?? null,
    attempt: attempts[index] as number,
    attemptsMax: attemptsMaxes[index] as number,
    crashes: crashCounts[index] as number,
    priority: priorities[index] as number,
    createdAt: createdAts[index] as number,
    dueAt: dueAts[index] as number,
  }));
}

/** Most columns hold one value in all rows: telling that from the text takes a fraction of the time of reading it. */
function read<Value>(text: string, jobs: number): Value[] {
  const end = text.indexOf(',');
  if (end > 0) {
    const first = text.slice(1, end);
    if (text === `[${`${first},`.repeat(jobs - 1)}${first}]`)
      return Array<Value>(jobs).fill(JSON.parse(first));
  }
  return JSON.parse(text) as Value[];
}
