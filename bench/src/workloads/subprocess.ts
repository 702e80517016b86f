import { defineTask } from '../longshore.ts';
import { computeInChild } from './child.ts';
import { recorded, type WorkInput } from './job-run.ts';

/** Has a child process compute, and waits for it. */
export const subprocess = defineTask({
  name: 'work-subprocess',
  run: ({ input, signal }) =>
    recorded(input as WorkInput, ({ n, amount }) =>
      computeInChild({ n, iterations: amount, threads: 1 }, signal),
    ),
});
