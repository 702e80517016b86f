import type { EnqueueReceipt, JobSpec } from '../store.ts';
import { type Tx, wholeMs } from './rows.ts';
import { findHold, holdKey, meetHolder } from './unique.ts';

const INSERT_JOB = `
  INSERT INTO job (id, queue, task, state, priority, input, attempts_max, created_at, due_at, unique_key)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO NOTHING`;

/** Jobs in. Specs apply in order, so a later one of the same batch meets the ids and keys of the earlier ones. */
export function enqueue(tx: Tx, specs: readonly JobSpec[]): EnqueueReceipt[] {
  return specs.map((spec) => (spec.unique === null ? create(tx, spec) : enqueueUnique(tx, spec)));
}

/** Adds the job, or finds it there already: an enqueue that is repeated after a lost reply adds nothing. */
export function create(tx: Tx, spec: JobSpec): EnqueueReceipt {
  const { id, unique } = spec;
  const dueAt = dueTime(spec, tx.now);
  const state = dueAt > tx.now ? 'scheduled' : 'ready';
  const { queue, task, priority, input, attemptsMax } = spec;
  const key = unique === null ? null : unique.key;
  const { now } = tx;
  if (tx.db.run(INSERT_JOB, id, queue, task, state, priority, input, attemptsMax, now, dueAt, key) === 0)
    return sameJob(tx, id) as EnqueueReceipt;
  tx.topics.add('ready');
  return { status: 'created', id, state };
}

function enqueueUnique(tx: Tx, spec: JobSpec): EnqueueReceipt {
  const { unique } = spec;
  if (unique === null) return create(tx, spec);
  const same = sameJob(tx, spec.id);
  if (same !== undefined) return same;
  const hold = findHold(tx, unique.key);
  const met = hold === undefined ? undefined : meetHolder(tx, spec, unique, hold, dueTime(spec, tx.now));
  if (met !== undefined) return met;
  const receipt = create(tx, spec);
  holdKey(tx, unique, spec.id);
  return receipt;
}

function sameJob(tx: Tx, id: string): EnqueueReceipt | undefined {
  const job = tx.db.get<Pick<EnqueueReceipt, 'state'>>('SELECT state FROM job WHERE id = ?', id);
  return job === undefined ? undefined : { status: 'existing', id, state: job.state };
}

/** A time in the past counts from now: the job was not claimable before it was there. */
function dueTime(spec: JobSpec, now: number): number {
  if (spec.unique?.mode === 'debounce') return wholeMs(now + spec.unique.periodMs);
  return Math.max(now, wholeMs(spec.dueAt ?? now + spec.delayMs));
}
