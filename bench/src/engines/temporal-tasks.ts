import { defineTask } from '../longshore.ts';
import { compute as calculate, block as hold } from './work-units.ts';

/** The activities of Longshore's side. */
export const echo = defineTask<string, string>({ name: 'echo', run: ({ input }) => input });

export const block = defineTask<number, string>({
  name: 'block',
  strategy: 'thread',
  module: import.meta.url,
  run: ({ input }) => hold(input),
});

export const compute = defineTask<number, number>({
  name: 'compute',
  strategy: 'thread',
  module: import.meta.url,
  run: ({ input }) => calculate(input),
});
