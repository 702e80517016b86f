import { isTerminal } from '../../core/job-state.ts';
import { debouncedUntil, type UniqueSpec } from '../../core/unique.ts';
import type { EnqueueReceipt, JobSpec } from '../store.ts';
import type { JobRow, KeyHold } from './records.ts';
import type { Rows } from './rows.ts';

/** Jobs in. Specs apply in order, so a later one of the same batch meets the keys and ids of the earlier ones. */
export function enqueue(rows: Rows, specs: readonly JobSpec[], now: number): EnqueueReceipt[] {
  return specs.map((spec) => enqueueOne(rows, spec, now));
}

function enqueueOne(rows: Rows, spec: JobSpec, now: number): EnqueueReceipt {
  const same = rows.jobs.get(spec.id);
  if (same !== undefined) return { status: 'existing', id: same.id, state: same.state };
  const { unique } = spec;
  if (unique === null) return create(rows, spec, now);
  const hold = rows.keys.get(unique.key);
  if (hold === undefined || !isHeld(rows, hold, now)) return create(rows, spec, now);
  return meetHolder(rows, spec, unique, hold, now);
}

/** What core/unique.ts's table says about a key that is held. */
function meetHolder(
  rows: Rows,
  spec: JobSpec,
  unique: UniqueSpec,
  hold: KeyHold,
  now: number,
): EnqueueReceipt {
  const holder = rows.jobs.get(hold.id);
  const state = holder?.state ?? hold.state;
  const existing: EnqueueReceipt = { status: 'existing', id: hold.id, state };
  switch (unique.mode) {
    case 'reject':
      return { ...existing, status: 'conflict' };
    case 'existing':
    case 'throttle':
      return existing;
    case 'replace':
    case 'debounce':
      if (holder === undefined || isTerminal(state)) return create(rows, spec, now);
      if (state !== 'running') return replace(rows, holder, hold, spec, now);
      return create(rows, spec, now);
  }
}

function create(rows: Rows, spec: JobSpec, now: number): EnqueueReceipt {
  const dueAt = dueTime(spec, now);
  const state = dueAt > now ? 'scheduled' : 'ready';
  const { id, unique } = spec;
  rows.add({
    id,
    queue: spec.queue,
    task: spec.task,
    state,
    priority: spec.priority,
    input: spec.input,
    result: null,
    attempt: 0,
    attemptsMax: spec.attemptsMax,
    crashes: 0,
    createdAt: now,
    dueAt,
    startedAt: null,
    finishedAt: null,
    uniqueKey: unique?.key ?? null,
    key: spec.key,
    progress: null,
    meta: spec.meta ?? null,
    cancelRequested: false,
    workerId: null,
    leaseExpiresAt: null,
    token: null,
    errors: [],
    errorsOmitted: 0,
    logs: [],
    logsOmitted: 0,
    audit: [],
  });
  if (unique !== null) rows.keys.set(unique.key, { id, untilAt: now + unique.periodMs, state });
  rows.topics.add('ready');
  return { status: 'created', id, state };
}

/** The waiting holder keeps its id, its place in the line and its history, and takes all the rest from the spec. */
function replace(rows: Rows, holder: JobRow, hold: KeyHold, spec: JobSpec, now: number): EnqueueReceipt {
  const dueAt = dueTime(spec, now, holder.createdAt);
  rows.rearrange(holder, 'reschedule', () => {
    holder.queue = spec.queue;
    holder.key = spec.key;
    holder.task = spec.task;
    holder.priority = spec.priority;
    holder.input = spec.input;
    holder.meta = spec.meta ?? null;
    holder.attemptsMax = spec.attemptsMax;
    holder.attempt = 0;
    holder.crashes = 0;
    holder.progress = null;
    holder.dueAt = dueAt;
    holder.state = dueAt > now ? 'scheduled' : 'ready';
  });
  hold.untilAt = now + (spec.unique?.periodMs ?? 0);
  rows.topics.add('ready');
  return { status: 'replaced', id: holder.id, state: holder.state };
}

/** A time in the past counts from now: the job was not claimable before it was there. */
function dueTime(spec: JobSpec, now: number, createdAt = now): number {
  if (spec.unique?.mode === 'debounce') return debouncedUntil(spec.unique, createdAt, now);
  return Math.max(now, spec.dueAt ?? now + spec.delayMs);
}

/** A key is held while its job lives, and for its period if that is longer. */
export function isHeld(rows: Rows, hold: KeyHold, now: number): boolean {
  if (hold.untilAt > now) return true;
  const job = rows.jobs.get(hold.id);
  return job !== undefined && !isTerminal(job.state);
}
