import {
  type AnyFlow,
  type AnyTask,
  declareTask,
  defineFlow,
  defineTask,
  implementTask,
} from '../../../src/index.ts';
import type { Effects } from './effects.ts';
import { monotonicMs, say } from './say.ts';

/** Flows of every shape. A `step` has an effect, told to the test and kept in the user's own table; a server that is away costs it attempts. */
const step = declareTask<unknown, number>({ name: 'step', attempts: 1_000 });
const sum = defineTask<(number | null)[], number>({
  name: 'sum',
  run: ({ input }) => input.reduce<number>((total, item) => total + (item ?? 0), 0),
});
const choose = defineTask<unknown, string>({ name: 'choose', run: () => 'yes' });
const page = defineTask<{ cursor: number | null }, { cursor: number | null }>({
  name: 'page',
  run: ({ input: { cursor } }) => ({ cursor: (cursor ?? 0) < 2 ? (cursor ?? 0) + 1 : null }),
});

export function flowTasks(effects: Effects): AnyTask[] {
  const counted = implementTask(
    step,
    async (context) => {
      const { id, attempt } = context;
      say({ say: 'started', id, attempt, at: monotonicMs() });
      const result = await effects.add(context);
      say({ say: 'ended', id, attempt, at: monotonicMs() });
      return result;
    },
    { backoff: 20 },
  );
  return [counted, sum, choose, page];
}

const inner = defineFlow({ name: 'inner', steps: (s) => s.step('b', step, { after: [s.step('a', step)] }) });

/** With the result that each comes to, and how many effects it has. */
export const FLOWS: readonly (readonly [flow: AnyFlow, result: unknown, effects: number])[] = [
  [inner, 1, 2],
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
    3,
  ],
  [
    defineFlow({
      name: 'fan',
      steps: (s) => s.step('join', sum, { after: [s.each('item', step, { over: 25 })] }),
    }),
    25,
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
    1,
  ],
  [
    defineFlow({
      name: 'pages',
      steps: (s) => s.step('end', step, { after: [s.loop('page', page), s.sleep('nap', 5)], input: () => 1 }),
    }),
    1,
    1,
  ],
  [
    defineFlow({ name: 'outer', steps: (s) => s.step('end', sum, { input: () => [s.flow('in', inner)] }) }),
    1,
    2,
  ],
];
