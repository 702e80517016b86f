import { isTerminal, type JobState, type TerminalState } from '../../core/job-state.ts';
import { debouncedUntil, type UniqueSpec } from '../../core/unique.ts';
import type { EnqueueReceipt, JobSpec } from '../store.ts';
import { changeInput, rowInput } from './inputs.ts';
import { type Ending, type JobRow, jobById, type Tx, wholeMs } from './rows.ts';
import { dropTerms, keepTerms } from './terms.ts';
import { afterLeaving, newTurn, TURN, turnAfter } from './turns.ts';

/**
 * Unique keys, as core/unique.ts's table says. A row of `unique_key` names the holder; the key is held while the
 * holder lives (`ended` is null) and until `until`, whichever is later. A row that is held no longer may stay until
 * the next enqueue or prune.
 */
export interface KeyHold {
  readonly id: string;
  readonly ended: TerminalState | null;
}

/** Who holds the key now. */
export function findHold(tx: Tx, key: string): KeyHold | undefined {
  return tx.db.get<KeyHold>(
    'SELECT id, ended FROM unique_key WHERE key = ? AND (ended IS NULL OR until > ?)',
    key,
    tx.now,
  );
}

/** Gives the key to a job, taking it from whoever had it. */
export function holdKey(tx: Tx, { key, periodMs }: Pick<UniqueSpec, 'key' | 'periodMs'>, id: string): void {
  tx.db.run(
    `INSERT INTO unique_key (key, id, until) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET id = excluded.id, until = excluded.until, ended = NULL`,
    key,
    id,
    wholeMs(tx.now + periodMs),
  );
}

/** What becomes of an enqueue whose key is held; undefined when a new job is to take the key over. */
export function meetHolder(
  tx: Tx,
  spec: JobSpec,
  unique: UniqueSpec,
  hold: KeyHold,
): EnqueueReceipt | undefined {
  const holder = jobById(tx, hold.id);
  const state = holder?.state ?? hold.ended ?? 'completed';
  switch (unique.mode) {
    case 'reject':
      return { status: 'conflict', id: hold.id, state };
    case 'existing':
    case 'throttle':
      return { status: 'existing', id: hold.id, state };
    case 'replace':
    case 'debounce':
      if (holder === undefined || isTerminal(state)) return undefined;
      if (state !== 'running') return replace(tx, holder, spec, unique);
      return undefined;
  }
}

/** A time in the past counts from now: the job was not claimable before it was there. */
export function dueTime(
  spec: Pick<JobSpec, 'unique' | 'dueAt' | 'delayMs'>,
  now: number,
  createdAt = now,
): number {
  if (spec.unique?.mode === 'debounce') return wholeMs(debouncedUntil(spec.unique, createdAt, now));
  return Math.max(now, wholeMs(spec.dueAt ?? now + spec.delayMs));
}

/** The waiting holder keeps its id, its place in the line and its trail, and takes all the rest from the spec. */
function replace(tx: Tx, holder: JobRow, spec: JobSpec, unique: UniqueSpec): EnqueueReceipt {
  const dueAt = dueTime(spec, tx.now, holder.created_at);
  const state: JobState = dueAt > tx.now ? 'scheduled' : 'ready';
  const same = spec.queue === holder.queue && spec.key === holder.key;
  const turn = same
    ? turnAfter(tx, holder, 'reschedule', state)
    : newTurn(tx, { queue: spec.queue, key: spec.key, ticket: null }, state);
  tx.db.run(
    `UPDATE job SET state = ?, turn = ?, ticket = ?, queue = ?, task = ?, key = ?, priority = ?, input = ?, meta = ?, attempts_max = ?,
       due_at = ?,
       attempt = 0, crashes = 0, progress = NULL
     WHERE seq = ? AND state IN ('scheduled', 'ready')`,
    state,
    turn,
    same ? holder.ticket : null,
    spec.queue,
    spec.task,
    spec.key,
    spec.priority,
    rowInput(spec.input),
    spec.meta ?? null,
    spec.attemptsMax,
    dueAt,
    holder.seq,
  );
  if (!same || turn > TURN.line) afterLeaving(tx, holder);
  changeInput(tx, holder, spec.input);
  if (spec.meta !== holder.meta) {
    dropTerms(tx, holder.seq, holder.meta);
    keepTerms(tx, holder.id, spec.meta);
  }
  holdKey(tx, unique, holder.id);
  tx.topics.add('ready');
  return { status: 'replaced', id: holder.id, state };
}

/** As the settle rule asks: who took the key of a running job over, undefined where nobody did. */
export function replacedByOf(tx: Tx, { unique_key: key, id }: Ending): string | null | undefined {
  if (key === null) return undefined;
  const hold = tx.db.get<Pick<KeyHold, 'id'>>('SELECT id FROM unique_key WHERE key = ?', key);
  return hold?.id === id ? undefined : (hold?.id ?? null);
}

/** The holder ended: the key is free, unless its period runs on. */
export function releaseKey(tx: Tx, job: Ending, ended: TerminalState): void {
  if (job.unique_key === null) return;
  const { unique_key: key, id } = job;
  if (tx.db.run('DELETE FROM unique_key WHERE key = ? AND id = ? AND until <= ?', key, id, tx.now) === 0)
    tx.db.run('UPDATE unique_key SET ended = ? WHERE key = ? AND id = ?', ended, key, id);
}

/** A job that lives again takes its key again, or goes on without one if somebody else has it by now. */
export function regainKey(tx: Tx, job: Ending): void {
  if (job.unique_key === null) return;
  const hold = findHold(tx, job.unique_key);
  if (hold === undefined) holdKey(tx, { key: job.unique_key, periodMs: 0 }, job.id);
  else if (hold.id !== job.id) tx.db.run('UPDATE job SET unique_key = NULL WHERE seq = ?', job.seq);
  else tx.db.run('UPDATE unique_key SET ended = NULL WHERE key = ? AND id = ?', job.unique_key, job.id);
}
