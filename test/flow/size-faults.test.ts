/** The faults of large runs, by the number they have among those that users of other systems met (faults.test.ts has the others). */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineFlow, defineTask, type Longshore } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { onEachStore, PLAN_KINDS, SHARED_KINDS, type Stage } from '../stage.ts';

const one = defineTask<number, number>({ name: 'one', run: () => 1 });
const total = defineTask<(number | null)[], number>({
  name: 'total',
  run: ({ input }) => input.reduce<number>((sum, item) => sum + (item ?? 0), 0),
});
const tasks = [one, total];

function fan(items: number) {
  return defineFlow({
    name: 'fan',
    steps: (s) => s.step('total', total, { after: [s.each('item', one, { over: items })] }),
  });
}

/** Two commits: a fan-out is enqueued a thousand jobs at a time. */
const TWO_PAGES = 1_100;

const gone = new Error('this process was killed');

/** A connection whose process dies at its commit number `at`: before that is written, or after it and before the answer. */
async function dyingAt(
  stage: Stage,
  at: number,
  when: 'before' | 'after',
): Promise<{ readonly longshore: Longshore; revive(): void }> {
  let commits = 0;
  let dead = false;
  const longshore = await stage.connectThrough((store) => {
    const alive =
      <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
      async (...args: Args): Promise<Result> => {
        if (dead) throw gone;
        return verb.apply(store, args);
      };
    return {
      duePlans: alive(store.duePlans),
      plan: alive(store.plan),
      commit: async (units, options) => {
        if (dead) throw gone;
        // The definition of the flow is stored by a commit of its own.
        if (units.every(({ plans }) => plans?.every(({ kind }) => kind !== 'run') ?? true))
          return store.commit(units, options);
        commits += 1;
        if (commits === at && when === 'before') dead = true;
        if (dead) throw gone;
        const receipts = await store.commit(units, options);
        if (commits === at) dead = true;
        if (dead) throw gone;
        return receipts;
      },
    } satisfies Partial<Store>;
  });
  return {
    longshore,
    revive: () => {
      dead = false;
      commits = Number.POSITIVE_INFINITY;
    },
  };
}

for (const [at, when] of [
  [1, 'before'],
  [1, 'after'],
  [2, 'before'],
  [2, 'after'],
] as const)
  onEachStore(
    `6. killed ${when} commit ${at} of a fan-out that is being created: none of it or all of it runs`,
    async (stage) => {
      const { longshore, revive } = await dyingAt(stage, at, when);
      const start = longshore.flows.start(fan(TWO_PAGES), null, { id: 'r' });
      if (at === 1) await assert.rejects(start, gone);
      else await start;
      await longshore.flows.planner.kick([]);
      // Another process goes on; what lives in one process goes on there.
      const others = SHARED_KINDS.includes(stage.kind) ? await stage.connect() : longshore;
      revive();
      await others.worker({ tasks, concurrency: 50 }).runUntilIdle();
      const run = await others.flows.get('r');
      const counts = (await others.queues.list()).map((queue) => queue.counts);
      if (at === 1 && when === 'before') {
        assert.equal(run, null);
        assert.ok(counts.every(({ completed, ready }) => completed + ready === 0));
        return;
      }
      assert.equal(run?.state, 'completed');
      assert.equal(await others.flows.handle('r').result(), TWO_PAGES);
      assert.equal(counts[0]?.completed, TWO_PAGES + 1);
    },
    PLAN_KINDS,
  );

onEachStore(
  '7. children that end before their parent has been written to its end count',
  async (stage) => {
    let commits = 0;
    const ended: string[] = [];
    const longshore = await stage.connectThrough((store) => ({
      commit: async (units, options) => {
        commits += units.some(({ plans }) => plans?.some(({ kind }) => kind === 'run')) ? 1 : 0;
        // The second page is about to be written: all jobs of the first one end right now.
        if (commits === 2 && ended.length === 0) ended.push(...(await completeAll(store)));
        return store.commit(units, options);
      },
    }));
    const run = await longshore.flows.start(fan(TWO_PAGES), null);
    await longshore.flows.planner.kick([]);
    assert.equal(ended.length, 1_000);
    await longshore.worker({ tasks, concurrency: 50 }).runUntilIdle();
    assert.equal(await run.result(), TWO_PAGES);
  },
  PLAN_KINDS,
);

/** Claims whatever waits, and completes it with the result 1. */
async function completeAll(store: Store): Promise<string[]> {
  const request = { workerId: 'w', queues: ['default'], limit: 1_000, leaseMs: 60_000 } as const;
  const { leases } = await store.claim(request);
  const outcome = { type: 'completed', result: '1' } as const;
  await store.settle(leases.map(({ id, token }) => ({ id, token, outcome })));
  return leases.map(({ id }) => id);
}

/** What one end of a job made the planner read and write, in characters, and how many calls it took. */
interface Cost {
  readonly calls: number;
  readonly chars: number;
}

/** Of each of `ends` ends, one after the other, of a fan-out of so many items. */
async function costsOf(stage: Stage, items: number, ends: number): Promise<Cost[]> {
  let [calls, chars] = [0, 0];
  const found: { store?: Store } = {};
  const longshore = await stage.connectThrough((store) => {
    found.store = store;
    const counted =
      <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
      async (...args: Args): Promise<Result> => {
        const result = await verb.apply(store, args);
        calls += 1;
        chars += JSON.stringify([args, result]).length;
        return result;
      };
    return { duePlans: counted(store.duePlans), plan: counted(store.plan), commit: counted(store.commit) };
  });
  const store = found.store as Store;
  const flow = fan(items);
  const { id } = await longshore.flows.start(flow, null);
  await longshore.flows.planner.kick([]);
  const costs: Cost[] = [];
  for (let end = 0; end < ends; end += 1) {
    const request = { workerId: 'w', queues: ['default'], limit: 1, leaseMs: 60_000 } as const;
    const [lease] = (await store.claim(request)).leases;
    assert.ok(lease);
    await store.settle([{ id: lease.id, token: lease.token, outcome: { type: 'completed', result: '1' } }]);
    [calls, chars] = [0, 0];
    await longshore.flows.planner.kick([`run/${id}`]);
    costs.push({ calls, chars });
  }
  await longshore.flows.cancel(id);
  await longshore.queues.obliterate('default');
  return costs;
}

/** Numbers get longer: a count of a thousand has two digits more than one of ten, in a few places. */
const DIGITS_CHARS = 60;

onEachStore(
  '14. an end costs a run of thousands of jobs what it costs a small one',
  async (stage) => {
    const small = await costsOf(stage, 20, 5);
    const large = await costsOf(stage, 3_000, 5);
    for (const [end, { calls, chars }] of large.entries()) {
      assert.equal(calls, small[end]?.calls);
      assert.ok(chars <= (small[end]?.chars ?? 0) + DIGITS_CHARS, `${chars} and ${small[end]?.chars} chars`);
    }
    // Nor does it grow from one end to the next.
    assert.ok((large.at(-1)?.chars ?? 0) <= (large[0]?.chars ?? 0) + DIGITS_CHARS);
  },
  PLAN_KINDS,
);

onEachStore(
  '15. children and joins go before new runs, so that few runs are under way at a time',
  async ({ connect }) => {
    const longshore = await connect();
    const ran: string[] = [];
    const visit = defineTask<{ run: string; step: string }, null>({
      name: 'visit',
      run: ({ input: { run, step } }) => {
        ran.push(`${run}.${step}`);
        return null;
      },
    });
    const flow = defineFlow({
      name: 'f',
      input: z.string(),
      steps: (s) => {
        const input = (step: string) => () => ({ run: s.input, step });
        const start = s.step('start', visit, { input: input('start') });
        const parts = ['a', 'b'].map((name) => s.step(name, visit, { after: [start], input: input(name) }));
        return s.step('join', visit, { after: parts, input: input('join') });
      },
    });
    const runs = ['1', '2', '3', '4', '5'];
    await longshore.flows.startMany(flow, runs);
    for (let job = 0; job < runs.length * 4; job += 1) {
      await longshore.worker({ tasks: [visit], concurrency: 1 }).runOnce();
      await longshore.flows.planner.kick([]);
    }
    assert.equal(ran.length, runs.length * 4);
    for (const [index, run] of runs.entries()) {
      const own = ran.slice(index * 4, index * 4 + 4);
      assert.deepEqual([own[0], own[3]], [`${run}.start`, `${run}.join`]);
      assert.deepEqual(own.slice(1, 3).sort(), [`${run}.a`, `${run}.b`]);
    }
  },
  PLAN_KINDS,
);
