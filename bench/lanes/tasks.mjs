import { defineTask } from '../../src/index.ts';

export const noop = defineTask({ name: 'noop', run: ({ input }) => input });

/** A fixed amount of work, not of time: that shows when cores are shared. */
export const work = defineTask({
  name: 'work',
  run: () => {
    let sum = 0;
    for (let n = 0; n < 2e7; n += 1) sum = (sum * 31 + n) | 0;
    return sum;
  },
});
