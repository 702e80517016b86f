import { defineTask } from '../../index.ts';
import { markRun } from '../run-marks.ts';

/** The tasks that lanes are measured with, in a module of their own: threads and processes import it. */
export interface LaneInput {
  /** -1: to warm up. */
  readonly n: number;
  readonly iterations: number;
}

export const QUEUE = 'lanes';

/** Does nothing but say that it ran. */
export const noop = defineTask({
  name: 'lane-noop',
  queue: QUEUE,
  run: ({ input }) => markRun((input as LaneInput).n),
});

/** A fixed amount of work, not of time: that shows when cores are shared. Its result depends on every step. */
export const compute = defineTask({
  name: 'lane-compute',
  queue: QUEUE,
  run: ({ input }) => {
    const { n, iterations } = input as LaneInput;
    const result = computed(n, iterations);
    markRun(n);
    return result;
  },
});

/**
 * What `compute` results in. No sums that overflow: they take five times as long in one of the engine's compilers as in the
 * next, and which one a process is in changes while it runs.
 */
export function computed(n: number, iterations: number): number {
  let value = n % SEEDS;
  for (let step = 0; step < iterations; step += 1) value = Math.imul(value, 31) ^ step;
  return value;
}

/** So many results there are, and no more, so that all can be checked. */
export const SEEDS = 4;
