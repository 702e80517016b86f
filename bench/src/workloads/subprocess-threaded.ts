import { defineTask } from '../longshore.ts';
import { computeInChild } from './child.ts';
import { recorded, type WorkInput } from './job-run.ts';

/** Has a child process compute with threads of its own, and waits for it. */
export const subprocessThreaded = defineTask({
  name: 'work-subprocess-threaded',
  run: ({ input, signal }) =>
    recorded(input as WorkInput, ({ n, amount }) =>
      computeInChild({ n, iterations: amount, threads: THREADS }, signal),
    ),
});

/** The same on every machine, as the work is. */
export const THREADS = 4;
