import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import { reasonOf } from '../../core/legible.ts';
import type { Family } from './family.ts';
import type { FleetFacts, MetricsSource, QueueFacts } from './source.ts';

/**
 * Gauges of the whole database. One process tells them, the one whose worker leads: a thousand workers that each counted the jobs
 * of a thousand queues would be a load of their own, and sums over processes would be wrong.
 */
export interface DatabaseOptions {
  /** Who tells them. */
  readonly database: 'leader' | 'always' | 'never';
  readonly timeoutMs: number;
}

/** Counting is work for the store: scrapes within this time share a look. */
const FRESH_MS = 2_000;

/** The other states of a thousand queues would be thousands of zeros. */
const SHOWN_AT_ZERO: ReadonlySet<JobState> = new Set(['ready', 'running', 'failed']);

interface Looked {
  readonly queues: readonly QueueFacts[];
  readonly workers: readonly FleetFacts[];
}

export function gaugeDatabase(source: MetricsSource, family: Family, options: DatabaseOptions): void {
  const look = shared(source, family, options);
  const jobs = family.gauge(
    'longshore_queue_jobs',
    'Jobs by queue and state; failed ones are dead letters. The leader tells.',
    ['queue', 'state'],
    () => fill(),
  );
  const oldest = family.gauge(
    'longshore_queue_oldest_age_seconds',
    'How long the job that has waited longest is claimable already; 0 when none waits. The leader tells.',
    ['queue'],
    () => fill(),
  );
  const paused = family.gauge(
    'longshore_queue_paused',
    '1 while the queue is paused. The leader tells.',
    ['queue'],
    () => fill(),
  );
  const workers = family.gauge(
    'longshore_fleet_workers',
    'Workers of all processes. The leader tells.',
    ['state'],
    () => fill(),
  );
  const slots = family.gauge(
    'longshore_fleet_slots',
    'Slots of all living workers. The leader tells.',
    ['state'],
    () => fill(),
  );
  const all = [jobs, oldest, paused, workers, slots];
  let filling: Promise<void> | null = null;
  let written: Looked | null = null;
  const write = (looked: Looked | null): void => {
    if (looked !== null && looked === written) return;
    written = looked;
    for (const gauge of all) gauge.reset();
    if (looked === null) return;
    const names = family.labels('queues', (queue) => queue as string);
    const ages = new Map<string, number>();
    for (const queue of looked.queues) {
      const name = names.one(queue.name);
      for (const state of JOB_STATES)
        if (queue.counts[state] > 0 || SHOWN_AT_ZERO.has(state))
          jobs.inc({ queue: name, state }, queue.counts[state]);
      paused.set({ queue: name }, queue.pausedAt === null ? 0 : 1);
      const ageMs = Math.max(ages.get(name) ?? 0, queue.oldestReadyMs ?? 0);
      ages.set(name, ageMs);
      oldest.set({ queue: name }, ageMs / 1_000);
    }
    const alive = looked.workers.filter((worker) => worker.alive);
    workers.set({ state: 'alive' }, alive.length);
    workers.set({ state: 'dead' }, looked.workers.length - alive.length);
    slots.set(
      { state: 'total' },
      alive.reduce((total, worker) => total + worker.slots, 0),
    );
    slots.set(
      { state: 'used' },
      alive.reduce((total, worker) => total + worker.slotsUsed, 0),
    );
  };
  // One filling for all gauges of a scrape: each is read when it is done.
  const fill = (): Promise<void> => {
    filling ??= look()
      .then(write)
      .finally(() => {
        filling = null;
      });
    return filling;
  };
}

/** What the store says, at most FRESH_MS old; null where another process tells it, or the store does not answer in time. */
function shared(
  source: MetricsSource,
  family: Family,
  { database, timeoutMs }: DatabaseOptions,
): () => Promise<Looked | null> {
  let last: { readonly at: number; readonly looked: Looked } | null = null;
  return async () => {
    const tells =
      database === 'always' ||
      (database === 'leader' && source.localWorkers().some(({ leading }) => leading));
    if (!tells) return null;
    if (last !== null && performance.now() - last.at < FRESH_MS) return last.looked;
    try {
      const [queues, workers] = await inTime(
        Promise.all([source.queues.list(), source.workers()]),
        timeoutMs,
      );
      last = { at: performance.now(), looked: { queues, workers } };
      return last.looked;
    } catch (error) {
      family.warn(`metrics of the database are left out of a scrape: ${reasonOf(error)}`);
      return null;
    }
  };
}

async function inTime<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`the store did not answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
