import { type JobState, TERMINAL_STATES } from '../../core/job-state.ts';
import type { Topic } from '../notifier.ts';
import type { Tx } from './rows.ts';

/**
 * Deleting a queue's jobs with their trails and keys, in steps. Each step is a short transaction of about CLEAR_STEP jobs, so
 * that nobody waits for long, however many jobs there are; jobs added after the first step stay. Fewer jobs than that are
 * deleted all at once.
 */
export const CLEAR_STEP = 5_000;

export interface ClearStep {
  readonly queue: string;
  readonly states: readonly JobState[];
  /** From the step before; null in the first one. */
  readonly from: ClearPlace | null;
}

/** Where the next step goes on. */
interface ClearPlace {
  /** No job with a larger number is deleted. */
  readonly lastSeq: number;
  /** In PARTS. */
  readonly part: number;
  /** Jobs that ended before were deleted; only where the part is a state of history. */
  readonly after: number;
}

export interface Cleared {
  readonly jobs: number;
  /** Null at the end. */
  readonly next: ClearPlace | null;
}

/** In the order in which they are cleared: those that ended last, since running jobs end meanwhile. */
const PARTS = ['fresh', 'live', ...TERMINAL_STATES] as const;

interface PartRow {
  /** Jobs that were found; fewer than there was room for: there are no more. */
  readonly seen: number;
  readonly jobs: number;
  readonly topics?: string;
  readonly ended_at?: number | null;
}

export async function clear(tx: Tx, { queue, states, from }: ClearStep): Promise<Cleared> {
  const { lastSeq, part: first, after: begin } = from ?? (await firstPlace(tx));
  let [jobs, room, after] = [0, CLEAR_STEP, begin];
  for (let part = first; part < PARTS.length; part += 1) {
    const row = await clearPart(tx, PARTS[part] ?? 'fresh', { queue, states, lastSeq, after, room });
    jobs += row.jobs;
    if (row.jobs > 0) for (const topic of (row.topics ?? 'settled').split(',')) tx.topics.add(topic as Topic);
    if (row.seen >= room) return { jobs, next: { lastSeq, part, after: row.ended_at ?? 0 } };
    room -= row.seen;
    after = 0;
  }
  return { jobs, next: null };
}

async function firstPlace(tx: Tx): Promise<ClearPlace> {
  const [row] = await tx.query<{ last: number }>(`SELECT last_value AS last FROM ${tx.schema}.job_seq_seq`);
  return { lastSeq: row?.last ?? 0, part: 0, after: 0 };
}

interface PartRequest {
  readonly queue: string;
  readonly states: readonly JobState[];
  readonly lastSeq: number;
  readonly after: number;
  readonly room: number;
}

const NOTHING: PartRow = { seen: 0, jobs: 0 };

async function clearPart(tx: Tx, part: (typeof PARTS)[number], request: PartRequest): Promise<PartRow> {
  const { queue, states, lastSeq, after, room } = request;
  if (part === 'live') {
    const live = states.filter((state) => !(TERMINAL_STATES as readonly JobState[]).includes(state));
    if (live.length === 0) return NOTHING;
    return one(
      tx.query(`SELECT * FROM ${tx.schema}.clear_live($1, $2, $3, $4)`, [queue, live, lastSeq, room]),
    );
  }
  if (!states.includes(part === 'fresh' ? 'ready' : part)) return NOTHING;
  if (part === 'fresh')
    return one(tx.query(`SELECT * FROM ${tx.schema}.clear_fresh($1, $2, $3)`, [queue, lastSeq, room]));
  return one(
    tx.query(`SELECT * FROM ${tx.schema}.clear_ended($1, $2, $3, $4, $5)`, [
      queue,
      part,
      lastSeq,
      after,
      room,
    ]),
  );
}

async function one(rows: Promise<PartRow[]>): Promise<PartRow> {
  return (await rows)[0] ?? NOTHING;
}
