/** What two runs have beside each other, and the attempts of a job as they can be told apart. Pure: no drawing. */
import type { Job, Step } from './data.ts';
import { differencesOf } from './differences.ts';

/** A step of two runs, by its name. */
export interface StepPair {
  readonly name: string;
  /** Null where the run has no step of that name. */
  readonly first: Step | null;
  readonly second: Step | null;
  /** Words for what is unlike; empty where nothing is. */
  readonly marks: readonly string[];
}

/** In the order of the first run; steps of the second alone come last. */
export function stepPairs(first: readonly Step[], second: readonly Step[], now: number): StepPair[] {
  const [ofFirst, ofSecond] = [byName(first), byName(second)];
  const names = new Set([...ofFirst.keys(), ...ofSecond.keys()]);
  return [...names].map((name) => {
    const [one, other] = [ofFirst.get(name) ?? null, ofSecond.get(name) ?? null];
    return { name, first: one, second: other, marks: marksOf(one, other, now) };
  });
}

function byName(steps: readonly Step[]): ReadonlyMap<string, Step> {
  return new Map(steps.map((step) => [step.name, step]));
}

function marksOf(first: Step | null, second: Step | null, now: number): string[] {
  if (first === null) return ['only in the second'];
  if (second === null) return ['only in the first'];
  const unlike = (one: unknown, other: unknown): boolean => differencesOf(one, other, 0).count > 0;
  const pace = paceOf(tookMs(first, now), tookMs(second, now));
  return [
    ...(stateOf(first) === stateOf(second) ? [] : ['state']),
    ...(unlike(first.result, second.result) ? ['result'] : []),
    ...(unlike(first.error, second.error) ? ['error'] : []),
    ...(unlike(first.items, second.items) ? ['items'] : []),
    ...(unlike(first.chose, second.chose) ? ['branch'] : []),
    ...((first.job?.attempt ?? 1) === (second.job?.attempt ?? 1) ? [] : ['attempts']),
    ...(pace === null ? [] : [pace]),
  ];
}

export function stateOf({ blocked, state }: Step): string {
  return blocked ? 'blocked' : state;
}

/** Null for what has not begun. */
export function tookMs(
  { startedAt, endedAt }: { readonly startedAt: number | null; readonly endedAt: number | null },
  now: number,
): number | null {
  return startedAt === null ? null : (endedAt ?? now) - startedAt;
}

/** A share and a time from which on a person wants to know. */
const PACE_RATIO = 1.5;
const PACE_MS = 100;

/** `2.4 × longer`; null where the times are much alike, or one is not known. */
export function paceOf(firstMs: number | null, secondMs: number | null): string | null {
  if (firstMs === null || secondMs === null || Math.abs(firstMs - secondMs) < PACE_MS) return null;
  const [short, long] = [Math.min(firstMs, secondMs), Math.max(firstMs, secondMs)];
  const ratio = long / Math.max(1, short);
  if (ratio < PACE_RATIO) return null;
  const shown = ratio < 10 ? Math.round(ratio * 10) / 10 : Math.round(ratio);
  return `${shown} × ${secondMs > firstMs ? 'longer' : 'shorter'}`;
}

/** One attempt of a job, as far as it is kept. */
export interface Attempt {
  /** Its place among those that are kept, from 1: a job that is run again counts its attempts anew. */
  readonly place: number;
  readonly number: number;
  /** `failed`, or the state of the job for its last one. */
  readonly state: string;
  readonly endedAt: number | null;
  readonly error: Job['errors'][number] | null;
  /** Without the line by which the worker says where it ran. */
  readonly logs: Job['logs'];
  /** Null where no worker wrote it down, as for jobs without a correlation id. */
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly runMs: number | null;
}

/** As workers write down where and how long an attempt ran (core/ran.ts). */
const RAN = 'longshore: ran';

/** Oldest first. */
export function attemptsOf(job: Job): Attempt[] {
  const redrives = job.audit.filter(({ action }) => action === 'redrive').map(({ at }) => at);
  const keyOf = (attempt: number, at: number): string =>
    `${redrives.filter((redriven) => redriven <= at).length}.${attempt}`;
  const lastAt = job.finishedAt ?? job.startedAt ?? Number.POSITIVE_INFINITY;
  const last = { error: null, number: job.attempt, state: job.state, endedAt: job.finishedAt };
  const failed = job.errors.map((error) => {
    const { attempt, at } = error;
    return { error, number: attempt, state: 'failed', endedAt: at, key: keyOf(attempt, at) };
  });
  const lastKey = keyOf(job.attempt, lastAt);
  const hasLast = job.attempt > 0 && !failed.some(({ key }) => key === lastKey);
  return [...failed, ...(hasLast ? [{ ...last, key: lastKey }] : [])].map(({ key, ...end }, index) => {
    const lines = job.logs.filter(({ attempt, at }) => keyOf(attempt, at) === key);
    return {
      ...end,
      place: index + 1,
      logs: lines.filter(({ message }) => message !== RAN),
      ...ranIn(lines.findLast(({ message }) => message === RAN)?.data),
    };
  });
}

function ranIn(data: unknown): Pick<Attempt, 'worker' | 'startedAt' | 'runMs'> {
  const { worker, startedAt, runMs } = (data ?? {}) as Partial<Record<string, unknown>>;
  return {
    worker: typeof worker === 'string' ? worker : null,
    startedAt: typeof startedAt === 'number' ? startedAt : null,
    runMs: typeof runMs === 'number' ? runMs : null,
  };
}
