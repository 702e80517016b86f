import type { CancelTimer, Clock } from '../core/clock.ts';
import { JOB_STATES, type JobState } from '../core/job-state.ts';
import type { QueueRecord, WorkerRecord } from '../store/store.ts';
import type { Face } from './face.ts';
import { SlotSeries } from './slot-series.ts';

/**
 * What the fleet looked like in the last hour, kept by this process: one read of the store for all who look, at most one a
 * second, and one every 10 s between. It begins with the first look.
 */
export interface Sample {
  readonly at: number;
  readonly queues: readonly QueueRecord[];
  readonly workers: readonly WorkerRecord[];
}

/** Numbers of one queue, or of all, at a time. */
export interface Point {
  readonly at: number;
  readonly counts: Readonly<Record<JobState, number>>;
  readonly rates: Rates;
}

/** Since the sample before, by what the queues hold: what was deleted meanwhile is not seen. */
export interface Rates {
  readonly enqueuedPerS: number;
  readonly completedPerS: number;
  readonly failedPerS: number;
}

const FRESH_MS = 1_000;
/** Counting millions of waiting jobs takes a store long: it is to do so a fifth of the time at most, and nobody waits for it. */
const SHARE = 5;
const SLOW_MS = 100;
const STALE_MS = 20_000;
const EVERY_MS = 10_000;
const KEPT = 360;
/** Series kept apart; of further queues only the sum is kept. */
const QUEUES_MAX = 100;

/** No queue has this name. */
export const ALL = '*';

export class Samples {
  readonly #longshore: Face;
  readonly #clock: Clock;
  readonly #series = new Map<string, Point[]>();
  readonly slots = new SlotSeries(KEPT);
  #latest: Sample | null = null;
  #before: Sample | null = null;
  #reading: Promise<Sample> | null = null;
  #cancel: CancelTimer | null = null;
  #isOld = false;
  #tookMs = 0;
  #closed = false;

  constructor(longshore: Face, clock: Clock) {
    this.#longshore = longshore;
    this.#clock = clock;
  }

  /** At most a second old; where reading takes long, older, and the next one is on its way. */
  latest(): Promise<Sample> {
    const latest = this.#isOld ? null : this.#latest;
    const age = this.#clock.now() - (latest?.at ?? 0);
    if (latest !== null && age < Math.max(FRESH_MS, this.#tookMs * SHARE)) return Promise.resolve(latest);
    const next = this.#next();
    if (latest === null || this.#tookMs < SLOW_MS || age > STALE_MS) return next;
    next.catch(() => undefined);
    return Promise.resolve(latest);
  }

  #next(): Promise<Sample> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** The next look asks the store. */
  forget(): void {
    this.#isOld = true;
    this.#reading = null;
  }

  /** Oldest first, of a queue or of ALL. */
  series(queue: string): readonly Point[] {
    return this.#series.get(queue) ?? [];
  }

  /** Of now, by the kept sample before. */
  rates(queue: string): Rates {
    const counts = this.#latest === null ? null : countsOf(this.#latest, queue);
    return counts === null ? NO_RATES : this.#ratesOf(queue, counts, (this.#latest as Sample).at);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  async #read(): Promise<Sample> {
    this.#isOld = false;
    const began = performance.now();
    const [queues, workers] = await Promise.all([this.#longshore.queues.list(), this.#longshore.workers()]);
    this.#tookMs = performance.now() - began;
    const sample = { at: this.#clock.now(), queues, workers };
    this.#latest = sample;
    if (this.#before === null || sample.at - this.#before.at >= EVERY_MS) this.#keep(sample);
    if (this.#cancel === null) this.#later();
    return sample;
  }

  #later(): void {
    if (this.#closed) return;
    this.#cancel = this.#clock.after(EVERY_MS, () => {
      // A store that is away leaves a gap.
      this.latest()
        .catch(() => undefined)
        .finally(() => this.#later());
    });
  }

  #keep(sample: Sample): void {
    for (const name of [ALL, ...namesOf(sample)]) {
      const counts = countsOf(sample, name) as Point['counts'];
      const series = this.#series.get(name) ?? [];
      series.push({ at: sample.at, counts, rates: this.#ratesOf(name, counts, sample.at) });
      if (series.length > KEPT) series.shift();
      this.#series.set(name, series);
    }
    for (const [name, series] of this.#series)
      if ((series.at(-1)?.at ?? 0) < sample.at - KEPT * EVERY_MS) this.#series.delete(name);
    this.slots.keep(sample.at, sample.workers);
    this.#before = sample;
  }

  #ratesOf(queue: string, counts: Point['counts'], at: number): Rates {
    const before = this.#before === null ? null : countsOf(this.#before, queue);
    const seconds = (at - (this.#before?.at ?? at)) / 1_000;
    if (before === null || seconds <= 0) return this.series(queue).at(-1)?.rates ?? NO_RATES;
    const perS = (now: number, then: number): number =>
      Math.round(Math.max(0, (now - then) / seconds) * 1_000) / 1_000;
    return {
      enqueuedPerS: perS(sum(counts), sum(before)),
      completedPerS: perS(counts.completed, before.completed),
      failedPerS: perS(counts.failed, before.failed),
    };
  }
}

function namesOf({ queues }: Sample): string[] {
  const names = queues.map(({ name }) => name).filter((name) => name !== ALL);
  return names.slice(0, QUEUES_MAX);
}

const NO_RATES: Rates = { enqueuedPerS: 0, completedPerS: 0, failedPerS: 0 };

/** Null for a queue that is not there. */
export function countsOf({ queues }: Sample, queue: string): Record<JobState, number> | null {
  const own = queue === ALL ? queues : queues.filter(({ name }) => name === queue);
  if (own.length === 0 && queue !== ALL) return null;
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  for (const record of own) for (const state of JOB_STATES) counts[state] += record.counts[state];
  return counts;
}

function sum(counts: Readonly<Record<JobState, number>>): number {
  return JOB_STATES.reduce((total, state) => total + counts[state], 0);
}
