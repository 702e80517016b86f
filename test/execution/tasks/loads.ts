/** Tasks that compute, wait, or do now this and now that. */
import { defineTask } from '../../../src/index.ts';

function compute(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

export const quick = defineTask({ name: 'quick', run: () => 1 });

export const waiting = defineTask({
  name: 'waiting',
  run: () => new Promise((resolve) => setTimeout(resolve, 20)),
});

export const dense = defineTask({ name: 'dense', run: () => compute(40) });

/** Computes for as long as its input says, after an await. */
export const moody = defineTask({
  name: 'moody',
  run: async ({ input }) => {
    await Promise.resolve();
    compute(input as number);
  },
});
