import type { TunerSettings } from '../../src/tuner/settings.ts';
import type { Mark, Plant, Policy } from './plants.ts';

/** The plants that the control law was made on and is compared on, each for a minute. */
export const END_MS = 60_000;

export const SETTINGS: TunerSettings = {
  targetCpu: 0.9,
  targetMemory: 0.8,
  slotsMin: 1,
  slotsMax: 500,
  rampMs: 50,
};

const BUSY = { cores: 8, computeMs: 10, waitMs: 50 };

const after = (ms: number, factor: number) => (atMs: number) => (atMs >= ms ? factor : 1);

export const PLANTS = {
  computes: { name: 'computes, 16 cores', cores: 16, computeMs: 50, waitMs: 0 },
  computesOnTwo: { name: 'computes, 2 cores', cores: 2, computeMs: 50, waitMs: 0 },
  computesLong: { name: 'computes for 8 s, 8 cores', cores: 8, computeMs: 8_000, waitMs: 0 },
  mixed: { name: 'mixed 20/80 ms, 2 cores', cores: 2, computeMs: 20, waitMs: 80 },
  mixedWide: { name: 'mixed 10/50 ms, 8 cores', ...BUSY },
  waits: { name: 'waits', cores: 2, computeMs: 0.02, waitMs: 100 },
  dearer: { name: 'cost x 4 at 30 s', cores: 8, computeMs: 5, waitMs: 45, cost: after(30_000, 4) },
  cheaper: { name: 'cost / 4 at 30 s', cores: 8, computeMs: 20, waitMs: 45, cost: after(30_000, 0.25) },
  foreign: { name: 'foreign load 0.4 at 30 s', ...BUSY, foreign: (atMs) => (atMs >= 30_000 ? 0.4 : 0) },
  crowded: { name: 'foreign load 0.7, 2 cores', cores: 2, computeMs: 10, waitMs: 90, foreign: () => 0.7 },
  noisy: { name: 'noise of 10 points', ...BUSY, noise: 0.1 },
  late: { name: 'samples 0.6 s old', ...BUSY, lagMs: 600 },
  paused: { name: 'queue empty 20 to 30 s', ...BUSY, queued: (atMs) => atMs < 20_000 || atMs >= 30_000 },
  memory: {
    name: 'memory 1 % a job',
    cores: 8,
    computeMs: 1,
    waitMs: 200,
    memory: { base: 0.2, job: 0.01 },
  },
  leak: {
    name: 'memory leaks',
    cores: 8,
    computeMs: 1,
    waitMs: 200,
    memory: { base: 0.2, leak: 0.000_3 },
  },
  slow: { name: 'mixed 2/8 s, 8 cores', cores: 8, computeMs: 2_000, waitMs: 8_000 },
} as const satisfies Record<string, Plant>;

export interface Figures {
  /** From when on the use stays within 7 points of the target, to the end; null: never. */
  readonly settledMs: number | null;
  /** Highest use above the target, as a share. */
  readonly over: number;
  /** From 20 s on. */
  readonly use: number;
  /** Most and fewest jobs at once, from 20 s on. */
  readonly most: number;
  readonly fewest: number;
  readonly memoryMax: number;
  readonly changes: number;
}

/** Use is looked at as the mean of 2 s: what is shorter is the jobs' own. `fromMs`: when the load last changed. */
export function figuresOf(marks: readonly Mark[], policy: Policy, target: number, fromMs = 0): Figures {
  const smooth = marks.map((_, index) => mean(marks.slice(Math.max(0, index - 9), index + 1)));
  const seen = smooth.filter((_, index) => (marks[index] as Mark).atMs >= fromMs);
  const lastOut = smooth.findLastIndex((use) => Math.abs(use - target) > 0.07);
  const late = marks.filter(({ atMs }) => atMs >= 20_000);
  return {
    settledMs: lastOut === marks.length - 1 ? null : ((marks[lastOut + 1] as Mark).atMs ?? 0) - fromMs,
    over: Math.max(...seen) - target,
    use: mean(late),
    most: Math.max(...late.map(({ used }) => used)),
    fewest: Math.min(...late.map(({ used }) => used)),
    memoryMax: Math.max(...marks.map(({ memory }) => memory)),
    changes: policy.decisions.length,
  };
}

function mean(marks: readonly Mark[]): number {
  return marks.reduce((sum, { cpu }) => sum + cpu / marks.length, 0);
}
