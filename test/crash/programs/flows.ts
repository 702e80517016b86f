import { setTimeout as delay } from 'node:timers/promises';
import { type AnyFlow, defineFlow, defineTask } from '../../../src/index.ts';
import { monotonicMs, say } from './say.ts';

/** Flows of every shape whose steps say when they run: `id` is that of the step's job. */
const step = defineTask<unknown, number>({
  name: 'step',
  run: async ({ id, attempt }) => {
    say({ say: 'started', id, attempt, at: monotonicMs() });
    await delay(1);
    say({ say: 'ended', id, attempt, at: monotonicMs() });
    return 1;
  },
});
const sum = defineTask<(number | null)[], number>({
  name: 'sum',
  run: ({ input }) => input.reduce<number>((total, item) => total + (item ?? 0), 0),
});
const choose = defineTask<unknown, string>({ name: 'choose', run: () => 'yes' });
const page = defineTask<{ cursor: number | null }, { cursor: number | null }>({
  name: 'page',
  run: ({ input: { cursor } }) => ({ cursor: (cursor ?? 0) < 2 ? (cursor ?? 0) + 1 : null }),
});

export const flowTasks = [step, sum, choose, page];

const inner = defineFlow({ name: 'inner', steps: (s) => s.step('b', step, { after: [s.step('a', step)] }) });

/** With the result that each comes to. */
export const FLOWS: readonly (readonly [flow: AnyFlow, result: unknown])[] = [
  [inner, 1],
  [
    defineFlow({
      name: 'diamond',
      steps: (s) => {
        const a = s.step('a', step);
        const parts = ['b', 'c'].map((name) => s.step(name, step, { after: [a] }));
        return s.step('d', sum, { input: () => parts });
      },
    }),
    2,
  ],
  [
    defineFlow({
      name: 'fan',
      steps: (s) => s.step('join', sum, { after: [s.each('item', step, { over: 25 })] }),
    }),
    25,
  ],
  [
    defineFlow({
      name: 'choice',
      steps: (s) => {
        const chosen = s.decide('choose', choose, { branches: ['yes', 'no'] });
        const yes = s.step('yes', step, { on: chosen.yes });
        const no = s.step('no', step, { on: chosen.no });
        return s.step('end', sum, { input: () => [yes, no] });
      },
    }),
    1,
  ],
  [
    defineFlow({
      name: 'pages',
      steps: (s) => s.step('end', step, { after: [s.loop('page', page), s.sleep('nap', 5)], input: () => 1 }),
    }),
    1,
  ],
  [
    defineFlow({ name: 'outer', steps: (s) => s.step('end', sum, { input: () => [s.flow('in', inner)] }) }),
    1,
  ],
];
