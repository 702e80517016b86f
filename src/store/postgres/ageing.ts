import { type Ageing, requireAgeing, untilSweepMs } from '../../core/ageing.ts';
import { AGE_LIMIT_DEFAULT, type AgeReceipt, type AgeRequest, type QueueChange } from '../store.ts';
import type { JobRow, Tx } from './rows.ts';

/**
 * Lowers the priorities of jobs that wait for long. A sweep walks the three partial indexes of ready jobs from the
 * lowest priority up: a job that is aged moves to behind the sweep, so none meets it twice. Where the sweep stands is
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
  /** Of held jobs only: these go key by key. */
  readonly key: string;
  readonly priority: number;
  /** seq or ticket. */
  readonly place: number;
}

/** In this order: a job that is let in meanwhile is passed over rather than aged twice. */
type Part = 'line' | 'letIn' | 'held';

const AFTER: Readonly<Record<Part, Part | null>> = { line: 'letIn', letIn: 'held', held: null };

interface AgeingQueue {
  readonly name: string;
  readonly state: AgeingState;
}

/** One at a time is enough: who comes while another sweeps finds nothing to do. */
export async function age(tx: Tx, { limit = AGE_LIMIT_DEFAULT }: AgeRequest): Promise<AgeReceipt> {
  const [sweeper] = await tx.query<{ alone: boolean }>(
    `SELECT pg_try_advisory_xact_lock(hashtextextended('longshore age ' || $1, 0)) AS alone`,
    [tx.schema],
  );
  const queues = await ageingQueues(tx);
  if (sweeper?.alone !== true) return { aged: 0, more: false, nextMs: untilNextMs(queues, tx.now) };
  let [aged, room] = [0, limit];
  const after: AgeingQueue[] = [];
  for (const { name, state } of queues) {
    if (state.next === null && untilSweepMs(state, state.sweptAt, tx.now) > 0) {
      after.push({ name, state });
      continue;
    }
    const begun = state.next === null ? { ...state, sweptAt: tx.now, next: startOf('line', state) } : state;
    const swept = await sweep(tx, name, begun, room);
    room -= swept.examined;
    aged += swept.aged;
    await keep(tx, name, state, swept.state);
    after.push({ name, state: swept.state });
  }
  return { aged, more: after.some(({ state }) => state.next !== null), nextMs: untilNextMs(after, tx.now) };
}

function ageingQueues(tx: Tx): Promise<AgeingQueue[]> {
  return tx.query(
    `SELECT name, ageing AS state FROM ${tx.schema}.queue WHERE ageing IS NOT NULL ORDER BY name COLLATE "C"`,
  );
}

function untilNextMs(queues: readonly AgeingQueue[], now: number): number | null {
  if (queues.length === 0) return null;
  return Math.min(
    ...queues.map(({ state }) => (state.next === null ? untilSweepMs(state, state.sweptAt, now) : 0)),
  );
}

/** Unless the settings were changed meanwhile: then the sweep begins anew when it is due. */
async function keep(tx: Tx, name: string, before: AgeingState, state: AgeingState): Promise<void> {
  await tx.query(`UPDATE ${tx.schema}.queue SET ageing = $2 WHERE name = $1 AND ageing = $3`, [
    name,
    JSON.stringify(state),
    JSON.stringify(before),
  ]);
}

interface Swept {
  readonly state: AgeingState;
  readonly aged: number;
  readonly examined: number;
}

/** Goes on with a sweep until `room` jobs were looked at. */
async function sweep(tx: Tx, queue: string, state: AgeingState, room: number): Promise<Swept> {
  let [aged, examined, next] = [0, 0, state.next];
  while (next !== null && examined < room) {
    const wanted = room - examined;
    const waiting = await jobsAfter(tx, queue, next, wanted);
    const due = waiting.filter((job) => isToAge(job, state));
    await lower(
      tx,
      due.map(({ seq }) => seq),
    );
    aged += due.length;
    examined += waiting.length;
    const part: Part | null = AFTER[next.part];
    if (waiting.length === wanted) next = placeOf(next.part, waiting.at(-1));
    else next = part === null ? null : startOf(part, state);
  }
  return { state: { ...state, next }, aged, examined };
}

interface Waiting extends Pick<JobRow, 'seq' | 'priority' | 'due_at' | 'key'> {
  readonly place: number;
}

/** A job that somebody has at this moment is passed over. */
async function jobsAfter(
  tx: Tx,
  queue: string,
  { part, key, priority, place }: Cursor,
  limit: number,
): Promise<Waiting[]> {
  const column = part === 'letIn' ? 'ticket' : 'seq';
  if (part === 'line')
    await tx.query(`SELECT ${tx.schema}.ground_line($1, $2, $3, $4)`, [queue, priority, place, limit]);
  const select = `SELECT seq, priority, due_at, key, ${column} AS place FROM ${tx.schema}.job WHERE state = 'ready' AND queue = $1`;
  const end = `LIMIT $4 FOR UPDATE SKIP LOCKED`;
  const values = [queue, priority, place, limit];
  if (part === 'held') {
    return tx.query(
      `${select} AND turn = 1 AND key IS NOT NULL AND turn < 2 AND key >= $5 AND (key, priority, seq) > ($5, $2, $3)
       ORDER BY key, priority, seq ${end}`,
      [...values, key],
    );
  }
  return tx.query(
    `${select} AND turn = ${part === 'letIn' ? -2 : 0} AND (priority, ${column}) > ($2, $3)
     ORDER BY priority, ${column} ${end}`,
    values,
  );
}

function isToAge({ priority, due_at }: Waiting, { everyMs, floor, sweptAt }: AgeingState): boolean {
  return priority > floor && due_at <= sweptAt - everyMs;
}

async function lower(tx: Tx, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await tx.query(`UPDATE ${tx.schema}.job SET priority = priority - 1 WHERE seq = ANY ($1)`, [seqs]);
}

/** Those at the floor and below are passed over; of held jobs they are looked at, as keys come first. */
function startOf(part: Part, { floor }: Ageing): Cursor {
  return { part, key: '', priority: floor, place: Number.MAX_SAFE_INTEGER };
}

function placeOf(part: Part, job: Waiting | undefined): Cursor | null {
  return job === undefined ? null : { part, key: job.key ?? '', priority: job.priority, place: job.place };
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

/** Without where the sweep stands. */
export function toAgeing(state: AgeingState | null): Ageing | null {
  return state === null ? null : { everyMs: state.everyMs, floor: state.floor };
}
