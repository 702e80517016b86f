/** The shapes of flows: each is a chain, a fan, a tree or a choice of one small task that says where it was. */
import { z } from 'zod';
import { defineFlow, defineTask, type Flow } from '../../src/index.ts'; // in your project: from 'longshore'

/** Takes whatever comes before it and returns a text that tells the way. */
export const visit = defineTask<{ name: string; after: (string | null)[] }, string>({
  name: 'visit',
  run: ({ input: { name, after } }) => {
    const before = after.filter((text) => text !== null);
    return before.length === 0 ? name : `${name}(${before.join(' ')})`;
  },
});

export const route = defineTask<{ amount: number }, string[]>({
  name: 'route',
  run: ({ input: { amount } }) => {
    if (amount < 1_000) return ['auto'];
    return amount < 5_000 ? ['manager'] : ['manager', 'finance'];
  },
});

export const square = defineTask<number, number>({ name: 'square', run: ({ input }) => input * input });
export const sum = defineTask<(number | null)[], number>({
  name: 'sum',
  run: ({ input }) => input.reduce<number>((total, item) => total + (item ?? 0), 0),
});
/** One of five parts of a thousand rows. */
export const rows = defineTask<{ from: number; to: number }, number>({
  name: 'rows',
  run: ({ input: { from, to } }) => to - from,
});

export const tasks = [visit, route, square, sum, rows];

function linear(steps: number): Flow<string, unknown, string> {
  return defineFlow({
    name: `linear${steps}`,
    steps: (s) => {
      let last = s.step('s1', visit, { input: () => ({ name: 's1', after: [] }) });
      for (let number = 2; number <= steps; number += 1) {
        const before = last;
        const name = `s${number}`;
        last = s.step(name, visit, { input: () => ({ name, after: [before] }) });
      }
      return last;
    },
  });
}

export const linear3 = linear(3);
export const linear4 = linear(4);

export const diamond = defineFlow({
  name: 'diamond',
  steps: (s) => {
    const start = s.step('start', visit, { input: () => ({ name: 'start', after: [] }) });
    const left = s.step('left', visit, { input: () => ({ name: 'left', after: [start] }) });
    const right = s.step('right', visit, { input: () => ({ name: 'right', after: [start] }) });
    return s.step('end', visit, { input: () => ({ name: 'end', after: [left, right] }) });
  },
});

export const dag7 = defineFlow({
  name: 'dag7',
  steps: (s) => {
    const init = s.step('init', visit, { input: () => ({ name: 'init', after: [] }) });
    const left = s.step('left', visit, { input: () => ({ name: 'left', after: [init] }) });
    const right = s.step('right', visit, { input: () => ({ name: 'right', after: [init] }) });
    const validate = s.step('validate', visit, { input: () => ({ name: 'validate', after: [left, right] }) });
    const transform = s.step('transform', visit, { input: () => ({ name: 'transform', after: [left] }) });
    const analyze = s.step('analyze', visit, { input: () => ({ name: 'analyze', after: [right] }) });
    return s.step('finalize', visit, {
      input: () => ({ name: 'finalize', after: [validate, transform, analyze] }),
    });
  },
});

/** One, two, four, and one that joins them. */
export const tree8 = defineFlow({
  name: 'tree8',
  steps: (s) => {
    const at = (name: string, ...after: (typeof root)[]) =>
      s.step(name, visit, { input: () => ({ name, after }) });
    const root = s.step('root', visit, { input: () => ({ name: 'root', after: [] }) });
    const [a, b] = [at('a', root), at('b', root)];
    const leaves = [at('a1', a), at('a2', a), at('b1', b), at('b2', b)];
    return at('join', ...leaves);
  },
});

/** Below 1,000 nobody is asked; below 5,000 a manager; from there on a manager and the finance department. */
export const conditional = defineFlow({
  name: 'conditional',
  steps: (s) => {
    const chosen = s.decide('route', route, { branches: ['auto', 'manager', 'finance'] });
    const auto = s.step('auto', visit, { on: chosen.auto, input: () => ({ name: 'auto', after: [] }) });
    const manager = s.step('manager', visit, {
      on: chosen.manager,
      input: () => ({ name: 'manager', after: [] }),
    });
    const finance = s.step('finance', visit, {
      on: chosen.finance,
      input: () => ({ name: 'finance', after: [] }),
    });
    return s.step('done', visit, { input: () => ({ name: 'done', after: [auto, manager, finance] }) });
  },
});

/** An order is fulfilled: each step has its own time limit, and a payment is tried twice. */
export const order = defineFlow({
  name: 'order',
  steps: (s) => {
    const validate = s.step('validate', visit, {
      timeoutMs: 45_000,
      input: () => ({ name: 'validate', after: [] }),
    });
    const reserve = s.step('reserve', visit, {
      timeoutMs: 60_000,
      input: () => ({ name: 'reserve', after: [validate] }),
    });
    const pay = s.step('pay', visit, {
      timeoutMs: 90_000,
      attempts: 2,
      input: () => ({ name: 'pay', after: [reserve] }),
    });
    return s.step('ship', visit, { timeoutMs: 60_000, input: () => ({ name: 'ship', after: [pay] }) });
  },
});

/** A thousand rows in five jobs of two hundred. */
export const batch = defineFlow({
  name: 'batch',
  steps: (s) => s.step('total', sum, { after: [s.each('rows', rows, { over: 1_000, size: 200 })] }),
});

/** As many jobs as the run is told, and a join. */
export const fanOut = defineFlow({
  name: 'fanOut',
  input: z.number().int().nonnegative(),
  steps: (s) => {
    const list = s.each('square', square, { over: s.input });
    return s.step('sum', sum, { after: [list] });
  },
});
