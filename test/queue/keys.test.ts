import assert from 'node:assert/strict';
import { z } from 'zod';
import { type AnyTask, defineTask, type JobContext } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, onEachStore, SHARED_KINDS } from '../stage.ts';

onEachStore(
  'a task takes the key from the input as it was enqueued; an enqueue may override it',
  async (stage) => {
    const longshore = await stage.connect();
    const seen: (string | null)[] = [];
    const task = defineTask({
      name: 'charge',
      input: z.object({ account: z.string().transform((text) => text.length) }),
      key: ({ account }) => account.toUpperCase(),
      run: ({ key }: JobContext<{ account: number }>) => void seen.push(key),
    });
    const job = await longshore.enqueue(task, { account: 'a7' });
    await longshore.enqueue(task, { account: 'a7' }, { key: 'other' });
    await longshore.enqueue(task, { account: 'a7' }, { key: false });
    await longshore.enqueueMany(task, [{ account: 'b' }, { account: 'c' }]);
    await longshore.enqueue('charge', { account: 'd' });
    const found = await longshore.jobs.get(job.id);
    assert.deepEqual([found?.key, found?.held], ['A7', false]);
    await longshore.worker({ tasks: [task] as AnyTask[], serial: true }).runUntilIdle();
    assert.deepEqual(seen, ['A7', 'other', null, 'B', 'C', null]);
  },
);

const BAD_KEYS: readonly (readonly [key: unknown, what: RegExp])[] = [
  ['', /key is ""; expected a string of 1 to 200 characters/],
  ['x'.repeat(201), /1 to 200 characters/],
  [7, /key is 7/],
  [() => undefined, /key is undefined/],
];

onEachStore('a key that is no key is refused, and nothing is enqueued', async ({ connect }) => {
  const longshore = await connect();
  for (const [key, message] of BAD_KEYS) {
    const refused = { message };
    await assert.rejects(async () => {
      const task = defineTask({ name: 'bad', key: key as never, run: () => undefined });
      await longshore.enqueue(task, null);
    }, refused);
    if (typeof key !== 'function')
      await assert.rejects(longshore.enqueue('good', null, { key: key as never }), refused);
  }
  assert.deepEqual((await longshore.jobs.list()).jobs, []);
});

onEachStore("'*' is no name for a queue of jobs", async ({ connect }) => {
  const longshore = await connect();
  const refused = { message: /queue is "\*"; expected a queue's own name/ };
  await assert.rejects(longshore.enqueue('task', null, { queue: '*' }), refused);
  assert.throws(() => defineTask({ name: 'task', queue: '*', run: () => undefined }), refused);
  await assert.rejects(longshore.queues.setLimits('*', { concurrency: 1 }), refused);
});

onEachStore('limits that make no sense are refused, and change nothing', async ({ connect }) => {
  const longshore = await connect();
  const bad = [
    { concurrency: 0 },
    { concurrency: 1.5 },
    { rate: { count: 0, perMs: 10 } },
    { rate: { count: 1, perMs: 0 } },
    { perKey: { concurrency: -1 } },
    { perKey: { ordered: 'yes' } },
    { perKey: { ordered: true, concurrency: 2 } },
    { concurrency: 3, misspelt: 1 },
    { perKey: { rates: null } },
    null,
  ];
  for (const limits of bad)
    await assert.rejects(longshore.queues.setLimits('q', limits as never), { code: 'OPTION_INVALID' });
  assert.deepEqual(await longshore.queues.list(), []);
});

onEachStore(
  'no two jobs of an ordered key overlap, and they run in order, with prefetch on',
  async (stage) => {
    const longshore = await stage.connect();
    await longshore.queues.setLimits('default', { perKey: { ordered: true } });
    const probe = new Probe();
    const task = defineTask({
      name: 'step',
      attempts: 5,
      backoff: { type: 'fixed', delayMs: 1 },
      run: ({ key, input, attempt }) => probe.run(key ?? '', input as number, attempt),
    });
    await longshore.enqueueMany(task, numbers(300), (_input, index) => ({ key: `k${index % 7}` }));
    const workers = numbers(3).map(() =>
      longshore.worker({ tasks: [task] as AnyTask[], concurrency: 8, prefetchMax: 500 }),
    );
    for (const worker of workers) await worker.start();
    await eventually(() => probe.done === 300);
    for (const worker of workers) await worker.stop();
    probe.requireOrder();
  },
);

onEachStore(
  'limits hold over two connections to one store, each with workers',
  async (stage) => {
    const connections = [await stage.connect(), await stage.connect()];
    const [longshore] = connections;
    assert.ok(longshore);
    await longshore.queues.setLimits('default', { concurrency: 4, perKey: { ordered: true } });
    const probe = new Probe();
    const task = defineTask({
      name: 'step',
      run: ({ key, input, attempt }) => probe.run(key ?? '', input as number, attempt + 9),
    });
    await longshore.enqueueMany(task, numbers(120), (_input, index) => ({ key: `k${index % 6}` }));
    const workers = connections.map((one) =>
      one.worker({ tasks: [task] as AnyTask[], concurrency: 10, prefetchMax: 100 }),
    );
    for (const worker of workers) await worker.start();
    await eventually(() => probe.done === 120);
    for (const worker of workers) await worker.stop();
    probe.requireOrder();
    assert.ok(probe.most <= 4, `${probe.most} jobs ran at once`);
  },
  SHARED_KINDS,
);

onEachStore('a worker starts the next jobs when the rate has room again, without polling', async (stage) => {
  const clock = new FakeClock();
  const longshore = await stage.connect({ clock });
  await longshore.queues.setLimits('default', { rate: { count: 2, perMs: 10_000 } });
  let ended = 0;
  const count = (): void => {
    ended += 1;
  };
  const task = defineTask({ name: 'call', run: count });
  await longshore.enqueueMany(task, numbers(5));
  const worker = longshore.worker({ tasks: [task] as AnyTask[], pollMs: 3_600_000 });
  await worker.start();
  await eventually(async () => {
    if (ended < 5) await clock.advance(500);
    return ended === 5;
  });
  // The time of the claim is what the store counts; the clock may have moved on before the handler was called.
  const { jobs } = await longshore.jobs.list();
  const starts = jobs.map(({ startedAt }) => startedAt ?? 0).sort((one, other) => one - other);
  for (const [index, at] of starts.entries())
    if (index >= 2) assert.ok(at - (starts[index - 2] ?? 0) >= 10_000, `starts at ${starts}`);
  await worker.stop();
});

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Every fifth job fails once; what ran when, by key. */
class Probe {
  done = 0;
  most = 0;
  readonly #overlaps: string[] = [];
  readonly #running = new Set<string>();
  readonly #order = new Map<string, number[]>();

  async run(key: string, input: number, attempt: number): Promise<void> {
    if (this.#running.has(key)) this.#overlaps.push(key);
    this.#running.add(key);
    this.most = Math.max(this.most, this.#running.size);
    await new Promise((resolve) => setImmediate(resolve));
    this.#running.delete(key);
    if (input % 5 === 0 && attempt === 1) throw new Error('once more');
    this.#order.set(key, [...(this.#order.get(key) ?? []), input]);
    this.done += 1;
  }

  requireOrder(): void {
    assert.deepEqual(this.#overlaps, [], 'keys of which two jobs ran at once');
    for (const [key, order] of this.#order)
      assert.deepEqual(
        order,
        [...order].sort((one, other) => one - other),
        `${key} ran out of order`,
      );
  }
}
