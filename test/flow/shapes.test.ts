import assert from 'node:assert/strict';
import {
  batch,
  conditional,
  dag7,
  diamond,
  fanOut,
  linear3,
  linear4,
  order,
  tasks,
  tree8,
} from '../../examples/flows/shapes.ts';
import type { AnyFlow } from '../../src/index.ts';
import { onEachStore, PLAN_KINDS } from '../stage.ts';

/** The shapes of docs/flows.md, as they stand in examples/flows, on every store that keeps plans. */
const SHAPES: readonly (readonly [flow: AnyFlow, input: unknown, result: unknown])[] = [
  [linear3, null, 's3(s2(s1))'],
  [linear4, null, 's4(s3(s2(s1)))'],
  [diamond, null, 'end(left(start) right(start))'],
  [dag7, null, 'finalize(validate(left(init) right(init)) transform(left(init)) analyze(right(init)))'],
  [tree8, null, 'join(a1(a(root)) a2(a(root)) b1(b(root)) b2(b(root)))'],
  [conditional, { amount: 999 }, 'done(auto)'],
  [conditional, { amount: 4_999 }, 'done(manager)'],
  [conditional, { amount: 5_000 }, 'done(manager finance)'],
  [order, null, 'ship(pay(reserve(validate)))'],
  [batch, null, 1_000],
  [fanOut, 0, 0],
  [fanOut, 300, 8_955_050],
];

onEachStore(
  'every shape of a flow runs to its end with its result',
  async ({ connect }) => {
    const longshore = await connect();
    const runs = [];
    for (const [flow, input] of SHAPES) runs.push(await longshore.flows.start(flow, input));
    await longshore.worker({ tasks }).runUntilIdle();
    for (const [index, run] of runs.entries()) assert.deepEqual(await run.result(), SHAPES[index]?.[2]);
    const { runs: listed } = await longshore.flows.list({ state: 'completed' });
    assert.deepEqual(
      listed.map(({ id }) => id).reverse(),
      runs.map(({ id }) => id),
    );
  },
  PLAN_KINDS,
);

onEachStore(
  'a started worker carries runs to their end, and several runs start in one commit',
  async ({ connect }) => {
    const longshore = await connect();
    const worker = longshore.worker({ tasks, pollMs: 50 });
    await worker.start();
    const runs = await longshore.flows.startMany(dag7, Array(20).fill(null));
    for (const run of runs) assert.match(await run.result(), /^finalize\(/);
  },
  PLAN_KINDS,
);
