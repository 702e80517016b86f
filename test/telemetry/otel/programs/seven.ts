import { setTimeout as delay } from 'node:timers/promises';
import { defineFlow, defineTask } from '../../../../src/index.ts';

/** Seven steps, each of which takes some time, as it would in production. */
export const work = defineTask<{ step: string; after: unknown[] }, string>({
  name: 'work',
  queue: 'seven',
  run: async ({ input: { step } }) => {
    await delay(60);
    return step;
  },
});

/** The same in a thread. */
export const heavy = defineTask<{ step: string; after: unknown[] }, string>({
  name: 'heavy',
  queue: 'seven',
  strategy: 'thread',
  run: async ({ input: { step }, meta }) => {
    await delay(60);
    return `${step} ${meta.traceparent}`;
  },
});

export const tasks = [work, heavy];

export const seven = defineFlow({
  name: 'seven',
  steps: (s) => {
    const step = (name: string, task: typeof work, ...after: ReturnType<typeof s.step>[]) =>
      s.step(name, task, { input: () => ({ step: name, after }) });
    const start = step('start', work);
    const left = step('left', work, start);
    const right = step('right', work, start);
    const check = step('check', work, left);
    const convert = step('convert', heavy, right);
    const join = step('join', work, check, convert);
    return step('finish', work, join);
  },
});
