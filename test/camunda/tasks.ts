/** Tasks that run in threads and child processes as well. */
import { BpmnError } from '../../src/connectors/camunda/index.ts';
import { defineTask } from '../../src/index.ts';

export const reserve = defineTask<{ item: string }, never>({
  name: 'reserve',
  run: ({ input }) => {
    throw new BpmnError('NO_STOCK', `no ${input.item} left`, { variables: { missing: input.item } });
  },
});

/** Waits until the counter is there, and holds its thread meanwhile. */
export const holding = defineTask<{ until: number }, { held: number }>({
  name: 'holding',
  run: ({ input }) => {
    const counter = counters.at(-1) as Int32Array;
    for (let seen = Atomics.load(counter, 0); seen < input.until; seen = Atomics.load(counter, 0))
      Atomics.wait(counter, 0, seen, 1_000);
    return { held: input.until };
  },
});

/** Of the test that runs. */
export const counters: Int32Array[] = [];

/** Runs until its signal aborts. */
export const endless = defineTask({
  name: 'endless',
  run: ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    }),
});

export const compute = defineTask<{ ms: number }, { done: boolean }>({
  name: 'compute',
  run: ({ input }) => {
    const until = performance.now() + input.ms;
    while (performance.now() < until) Math.sqrt(until);
    return { done: true };
  },
});
