import { defineTask } from '../../../src/index.ts';

/** In a module of its own, which threads and processes import. */
export const noop = defineTask({ name: 'noop', run: ({ input }) => input });
