import { defineTask } from '../longshore.ts';
import { compute, seedOf } from './computation.ts';
import { recorded, type WorkInput } from './job-run.ts';

/** Computes without a pause. */
export const cpu = defineTask({
  name: 'work-cpu',
  run: ({ input }) =>
    recorded(input as WorkInput, ({ n, amount }) => ({ result: compute(seedOf(n), amount) })),
});
