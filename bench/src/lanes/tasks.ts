import { defineTask } from '../longshore.ts';
import { markRun } from '../run-marks.ts';
import { seedOf, compute as walk } from '../workloads/computation.ts';

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
    const result = walk(seedOf(n), iterations);
    markRun(n);
    return result;
  },
});
