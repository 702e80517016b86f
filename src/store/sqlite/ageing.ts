import { type Ageing, requireAgeing, untilSweepMs } from '../../core/ageing.ts';
import { AGE_LIMIT_DEFAULT, type AgeReceipt, type AgeRequest, type QueueChange } from '../store.ts';
import { isAgeing, parseStored } from '../stored-settings.ts';
import type { JobRow, Tx } from './rows.ts';
import { TURN } from './turns.ts';
import { NEEDS_WRITE } from './verb.ts';

/**
 * Lowers the priorities of jobs that wait for long. A sweep walks the three partial indexes of ready jobs from the
 * lowest priority up, held jobs key by key: a job that is aged moves to behind the sweep, so none meets it twice. Where the sweep stands is
 * kept with the queue's settings, in the column `ageing`, so that claims and settlements know nothing of it.
 */
export interface AgeingState extends Ageing {
  /** When the last sweep began. */
  readonly sweptAt: number;
  /** Where the sweep goes on; null when it is over. */
  readonly next: Cursor | null;
}

interface Cursor {
  readonly part: Part;
  /** Of held jobs only. */
  readonly key: string;
  readonly priority: number;
  /** seq or ticket. */
  readonly place: number;
}

/** In this order: a job that is let in meanwhile is passed over rather than aged twice. */
type Part = (typeof PARTS)[number];
const PARTS = ['line', 'letIn', 'held'] as const;

/** Both halves end at their limit, so that a batch costs the same wherever the sweep stands. */
function following(index: string, where: string, place: 'seq' | 'ticket'): string {
  const columns = `seq, priority, ${place} AS place, due_at`;
  return `
    SELECT * FROM (
      SELECT ${columns} FROM job INDEXED BY ${index}
      WHERE ${where} AND priority = ? AND ${place} > ? ORDER BY ${place} LIMIT +?)
    UNION ALL
    SELECT * FROM (
      SELECT ${columns} FROM job INDEXED BY ${index}
      WHERE ${where} AND priority > ? ORDER BY priority, ${place} LIMIT +?)
    ORDER BY priority, place LIMIT +?`;
}

export const NEXT_TO_AGE: Readonly<Record<Part, string>> = {
  line: following('job_ready', `state = 'ready' AND turn = ${TURN.line} AND queue = ?`, 'seq'),
  letIn: following('job_ticket', `turn = ${TURN.letIn} AND queue = ?`, 'ticket'),
  held: following('job_key', `turn = ${TURN.held} AND turn < 2 AND queue = ? AND key = ?`, 'seq'),
};

export const NEXT_HELD_KEY = `
  SELECT key FROM job INDEXED BY job_key
  WHERE turn = ${TURN.held} AND turn < 2 AND queue = ? AND key > ? ORDER BY key LIMIT 1`;

interface AgeingQueue {
  readonly name: string;
  readonly state: AgeingState;
}

export function peekAge(tx: Tx): AgeReceipt | typeof NEEDS_WRITE {
  const nextMs = untilNextMs(tx, ageingQueues(tx));
  return nextMs === 0 ? NEEDS_WRITE : { aged: 0, more: false, nextMs };
}

export function age(tx: Tx, { limit = AGE_LIMIT_DEFAULT }: AgeRequest): AgeReceipt {
  let [aged, room] = [0, limit];
  const queues = ageingQueues(tx).map(({ name, state }) => {
    if (state.next === null && untilSweepMs(state, state.sweptAt, tx.now) > 0) return { name, state };
    const begun =
      state.next === null ? { ...state, sweptAt: tx.now, next: startOf('line', '', state) } : state;
    const swept = sweep(tx, name, begun, room);
    room -= swept.examined;
    aged += swept.aged;
    tx.db.run('UPDATE queue SET ageing = ? WHERE name = ?', JSON.stringify(swept.state), name);
    return { name, state: swept.state };
  });
  return { aged, more: queues.some(({ state }) => state.next !== null), nextMs: untilNextMs(tx, queues) };
}

function ageingQueues(tx: Tx): AgeingQueue[] {
  return tx.db
    .all<{ name: string; ageing: string }>(
      'SELECT name, ageing FROM queue WHERE ageing IS NOT NULL ORDER BY name',
    )
    .flatMap(({ name, ageing }) => {
      const state = parseAgeing(ageing);
      return state === null ? [] : [{ name, state }];
    });
}

function untilNextMs(tx: Tx, queues: readonly AgeingQueue[]): number | null {
  if (queues.length === 0) return null;
  return Math.min(
    ...queues.map(({ state }) => (state.next === null ? untilSweepMs(state, state.sweptAt, tx.now) : 0)),
  );
}

/** Goes on with a sweep until `room` jobs were looked at. */
function sweep(
  tx: Tx,
  queue: string,
  state: AgeingState,
  room: number,
): { readonly state: AgeingState; readonly aged: number; readonly examined: number } {
  let [aged, examined, next] = [0, 0, state.next];
  while (next !== null && examined < room) {
    const wanted = room - examined;
    const waiting = jobsAfter(tx, queue, next, wanted);
    const due = waiting.filter((job) => isToAge(job, state));
    lower(
      tx,
      due.map(({ seq }) => seq),
    );
    aged += due.length;
    examined += waiting.length;
    next = waiting.length < wanted ? startOfNext(tx, queue, next, state) : placeOf(next, waiting.at(-1));
  }
  return { state: { ...state, next }, aged, examined };
}

type Waiting = Pick<JobRow, 'seq' | 'priority' | 'due_at'> & { readonly place: number };

function jobsAfter(tx: Tx, queue: string, { part, key, priority, place }: Cursor, limit: number): Waiting[] {
  const line = part === 'held' ? [queue, key] : [queue];
  return tx.db.all<Waiting>(
    NEXT_TO_AGE[part],
    ...line,
    priority,
    place,
    limit,
    ...line,
    priority,
    limit,
    limit,
  );
}

function isToAge({ priority, due_at }: Waiting, { everyMs, floor, sweptAt }: AgeingState): boolean {
  return priority > floor && due_at <= sweptAt - everyMs;
}

function lower(tx: Tx, seqs: readonly number[]): void {
  if (seqs.length === 0) return;
  tx.db.run(
    'UPDATE job SET priority = priority - 1 WHERE seq IN (SELECT value FROM json_each(?))',
    JSON.stringify(seqs),
  );
}

/** Those at the floor and below are passed over. */
function startOf(part: Part, key: string, { floor }: Ageing): Cursor {
  return { part, key, priority: floor, place: Number.MAX_SAFE_INTEGER };
}

function startOfNext(tx: Tx, queue: string, { part, key }: Cursor, ageing: Ageing): Cursor | null {
  if (part === 'line') return startOf('letIn', '', ageing);
  const next = tx.db.get<{ key: string }>(NEXT_HELD_KEY, queue, key);
  return next === undefined ? null : startOf('held', next.key, ageing);
}

function placeOf({ part, key }: Cursor, job: Waiting | undefined): Cursor | null {
  return job === undefined ? null : { part, key, priority: job.priority, place: job.place };
}

/** The first sweep comes one interval after ageing was set; other values keep the time of the last one. */
export function changeAgeing(
  before: AgeingState | null,
  change: QueueChange['ageing'],
  now: number,
): AgeingState | null {
  if (change === undefined) return before;
  if (change === null) return null;
  const { sweptAt = now, next = null } = before ?? {};
  return { ...requireAgeing('ageing', change), sweptAt, next };
}

/** Written by configureQueue and `age` alone; null also where it cannot be read: then the queue does not age. */
export function parseAgeing(text: string | null): AgeingState | null {
  const state = text === null ? null : parseStored(text);
  if (!isAgeing(state)) return null;
  const { sweptAt, next } = state as Partial<AgeingState>;
  return typeof sweptAt === 'number' && isCursor(next) ? (state as AgeingState) : null;
}

function isCursor(next: Cursor | null | undefined): boolean {
  return next === null || PARTS.includes(next?.part as Part);
}

/** Without where the sweep stands. */
export function toAgeing(state: AgeingState | null): Ageing | null {
  return state === null ? null : { everyMs: state.everyMs, floor: state.floor };
}
