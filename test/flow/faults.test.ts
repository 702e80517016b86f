import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineFlow, defineTask, type Longshore, UnrecoverableError } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { onEachStore, PLAN_KINDS, SHARED_KINDS, type Stage } from '../stage.ts';

/** What users of other systems met in their flows, by name. */
const echo = defineTask({ name: 'echo', run: ({ input }) => input });
const fail = defineTask({
  name: 'fail',
  run: () => {
    throw new UnrecoverableError('no way');
  },
});
const total = defineTask<(number | null)[], number>({
  name: 'total',
  run: ({ input }) => input.reduce<number>((sum, item) => sum + (item ?? 0), 0),
});
const one1 = defineTask<number, number>({ name: 'one', run: ({ input }) => input });
const tasks = [echo, fail, total, one1];

function eachStore(title: string, body: (stage: Stage) => Promise<void>, kinds = PLAN_KINDS): void {
  onEachStore(title, body, kinds);
}

/** Several connections see the same runs. */
const SHARED = PLAN_KINDS.filter((kind) => SHARED_KINDS.includes(kind));

async function idle(longshore: Longshore, concurrency = 10): Promise<void> {
  await longshore.worker({ tasks, concurrency }).runUntilIdle();
}

eachStore('1. a failed or cancelled step without a policy still ends the run', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({ name: 'f', steps: (s) => s.step('b', echo, { after: [s.step('a', fail)] }) });
  const other = defineFlow({ name: 'g', steps: (s) => s.step('a', echo) });
  const run = await longshore.flows.start(flow, null);
  const cancelled = await longshore.flows.start(other, null);
  const job = (await longshore.flows.get(cancelled.id))?.steps[0]?.job?.id ?? '';
  await longshore.jobs.cancel(job);
  await idle(longshore);
  await assert.rejects(run.result(), { code: 'RUN_FAILED', message: /step 'a' failed: no way/ });
  assert.equal((await cancelled.ended()).state, 'failed');
});

eachStore('2. a step that loses its last lease settles the join like a thrown error', async (stage) => {
  const longshore = await stage.connect();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => s.step('t', total, { after: [s.each('i', echo, { over: [1, 2], failure: 'continue' })] }),
  });
  const run = await longshore.flows.start(flow, null);
  let bare: Store | null = null;
  await stage.connectThrough((store) => {
    bare = store;
    return {};
  });
  const store = bare as unknown as Store;
  // The first job is claimed by a worker that is never heard of again.
  await store.claim({ workerId: 'gone', queues: ['default'], limit: 1, leaseMs: 0 });
  await store.reap({ crashesMax: 1 });
  await idle(longshore);
  assert.ok([0, 1, 2, 3].includes(await run.result()));
  assert.equal((await longshore.flows.get(run.id))?.state, 'completed');
});

eachStore(
  '3. and 9. a join runs once, also when the last parents end at the same time',
  async ({ connect }) => {
    const longshore = await connect();
    const flow = defineFlow({
      name: 'f',
      steps: (s) => s.step('t', total, { after: [s.each('i', echo, { over: Array(40).fill(1) })] }),
    });
    const runs = await longshore.flows.startMany(flow, Array(5).fill(null));
    // Two connections end them side by side.
    const other = await connect();
    await Promise.all([idle(longshore, 20), idle(other, 20)]);
    await idle(longshore);
    for (const run of runs) assert.equal(await run.result(), 40);
    const { jobs } = await longshore.jobs.list({ task: 'total' });
    assert.equal(jobs.length, 5);
  },
  SHARED,
);

eachStore('4. a step whose task makes jobs unique still completes each run', async ({ connect }) => {
  const longshore = await connect();
  const unique = defineTask({
    name: 'echo',
    unique: { key: 'one', mode: 'reject' },
    run: ({ input }) => input,
  });
  const flow = defineFlow({ name: 'f', steps: (s) => s.step('a', unique) });
  await longshore.enqueue(unique, 'holds the key');
  const runs = await longshore.flows.startMany(flow, [1, 2]);
  await longshore.worker({ tasks: [unique] }).runUntilIdle();
  assert.deepEqual([await runs[0]?.result(), await runs[1]?.result()], [1, 2]);
});

eachStore(
  '5. retention and removal of a step’s job lose no result that a step needs',
  async ({ connect }) => {
    const longshore = await connect();
    await longshore.queues.setRetention('default', { completed: { ageMs: 0, count: null } });
    const flow = defineFlow({
      name: 'f',
      steps: (s) => s.step('b', echo, { input: () => ({ from: s.step('a', echo) }) }),
    });
    const run = await longshore.flows.start(flow, 7);
    await idle(longshore);
    assert.deepEqual(await run.result(), { from: 7 });
    const waiting = await longshore.flows.start(flow, 8);
    await longshore.jobs.remove({ state: 'ready' });
    await idle(longshore);
    await assert.rejects(waiting.result(), { code: 'RUN_FAILED' });
  },
);

eachStore(
  '8. a failure inside a nested flow reaches the outer one, and a result too',
  async ({ connect }) => {
    const longshore = await connect();
    const good = defineFlow({ name: 'good', steps: (s) => s.step('x', echo) });
    const bad = defineFlow({ name: 'bad', steps: (s) => s.step('x', fail) });
    const outer = defineFlow({
      name: 'outer',
      steps: (s) => {
        const one = s.flow('one', good, { input: () => 1 });
        const two = s.flow('two', bad, { failure: 'continue' });
        return s.step('end', echo, { input: () => ({ one, two }) });
      },
    });
    const run = await longshore.flows.start(outer, null);
    await idle(longshore);
    assert.deepEqual(await run.result(), { one: 1, two: null });
    const detail = await longshore.flows.get(run.id);
    assert.match(detail?.steps[1]?.error?.message ?? '', /Run '.*>two' failed: step 'x' failed: no way/);
    assert.equal((await longshore.flows.get(`${run.id}>two`))?.parent, run.id);
  },
);

const approval = defineFlow({
  name: 'approval',
  steps: (s) => {
    const asked = s.step('ask', echo);
    const approved = s.waitFor('approve', z.object({ by: z.string() }), { after: [asked] });
    return s.step('act', echo, { input: () => ({ by: approved.by }) });
  },
});

eachStore(
  '10. a signal before the wait is kept, one to an ended or unknown run is refused',
  async ({ connect }) => {
    const longshore = await connect();
    const run = await longshore.flows.start(approval, null);
    await longshore.flows.signal(run.id, 'approve', { by: 'ada' });
    await idle(longshore);
    assert.deepEqual(await run.result(), { by: 'ada' });
    await assert.rejects(longshore.flows.signal(run.id, 'approve'), { code: 'RUN_STATE_REFUSED' });
    await assert.rejects(longshore.flows.signal('nobody', 'approve'), { code: 'RUN_UNKNOWN' });
    const other = await longshore.flows.start(approval, null);
    await assert.rejects(longshore.flows.signal(other.id, 'aprove'), /expected "approve"|expected 'approve'/);
    await idle(longshore);
    assert.equal((await longshore.flows.get(other.id))?.state, 'waiting');
    await longshore.flows.signal(other.id, 'approve', { by: 'bob' });
    await idle(longshore);
    assert.deepEqual(await other.result(), { by: 'bob' });
  },
);

eachStore(
  '11. after a deploy a run keeps its definition, and a step without a worker is named',
  async ({ connect }) => {
    const longshore = await connect();
    const before = defineFlow({ name: 'f', steps: (s) => s.step('b', echo, { after: [s.step('a', echo)] }) });
    const run = await longshore.flows.start(before, 1);
    // Another version is started meanwhile, by a program that knows nothing of the first one.
    const deployed = await connect();
    const after = defineFlow({ name: 'f', steps: (s) => s.step('c', total, { input: () => [1, 2] }) });
    const newer = await deployed.flows.start(after, 1);
    const early = await deployed.flows.get(run.id);
    assert.deepEqual(
      early?.steps.map(({ name, taskUnknown }) => [name, taskUnknown]),
      [
        ['a', true],
        ['b', true],
      ],
    );
    await idle(deployed);
    assert.deepEqual([await run.result(), await newer.result()], [1, 3]);
  },
  SHARED,
);

eachStore(
  '13. two planners at once run no step twice and strand none',
  async ({ connect }) => {
    const [one, two] = [await connect(), await connect()];
    const flow = defineFlow({
      name: 'f',
      steps: (s) => {
        const parts = ['a', 'b', 'c', 'd'].map((name) => s.step(name, one1, { input: () => 1 }));
        return s.step('t', total, { input: () => parts });
      },
    });
    const runs = await one.flows.startMany(flow, Array(10).fill(null));
    await Promise.all([idle(one), idle(two)]);
    const keys = runs.map(({ id }) => `run/${id}`);
    await Promise.all([one.flows.planner.kick(keys), two.flows.planner.kick(keys)]);
    await idle(one);
    for (const run of runs) assert.equal(await run.result(), 4);
    assert.equal((await one.jobs.list({ task: 'one', limit: 1_000 })).jobs.length, 40);
  },
  SHARED,
);

eachStore('a run is one by its id, or by its flow and input', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({ name: 'f', steps: (s) => s.step('a', echo) });
  const other = defineFlow({ name: 'g', steps: (s) => s.step('a', echo) });
  const statuses = [];
  for (const options of [{ id: 'order-7' }, { id: 'order-7' }])
    statuses.push((await longshore.flows.start(flow, 1, options)).status);
  for (const input of [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
    { a: 2, b: 2 },
  ])
    statuses.push((await longshore.flows.start(flow, input, { identity: 'strict' })).status);
  assert.deepEqual(statuses, ['created', 'existing', 'created', 'existing', 'created']);
  await assert.rejects(longshore.flows.start(other, 1, { id: 'order-7' }), /belongs to a run of flow 'f'/);
  await assert.rejects(longshore.flows.start(flow, 1, { id: 'a>b' }), { code: 'OPTION_INVALID' });
});

eachStore(
  'by hand: a failed step is retried with other input, and all of it is in the audit trail',
  async ({ connect }) => {
    const longshore = await connect();
    const picky = defineTask({
      name: 'echo',
      run: ({ input }) => {
        if (input === 'bad') throw new UnrecoverableError('bad input');
        return input;
      },
    });
    const flow = defineFlow({
      name: 'f',
      steps: (s) => s.step('b', picky, { after: [s.step('a', picky, { failure: 'block' })] }),
    });
    const run = await longshore.flows.start(flow, 'bad');
    const work = () => longshore.worker({ tasks: [picky] }).runUntilIdle();
    await work();
    assert.equal((await longshore.flows.get(run.id))?.state, 'blocked');
    await longshore.flows.retry(run.id, 'a', { input: 'good', by: 'ada', why: 'a typing error' });
    await work();
    assert.equal(await run.result(), 'good');
    const audit = (await longshore.flows.get(run.id))?.audit;
    assert.deepEqual(
      audit?.map(({ action, by, why, step }) => [action, by, why, step]),
      [['retry', 'ada', 'a typing error', 'a']],
    );
    await assert.rejects(longshore.flows.retry(run.id, 'a'), { code: 'RUN_STATE_REFUSED' });
    await assert.rejects(longshore.flows.skip(run.id, 'zz'), { code: 'FLOW_STEP_UNKNOWN' });
    await assert.rejects(longshore.flows.cancel('nobody'), { code: 'RUN_UNKNOWN' });
  },
);

eachStore(
  'by hand: a branch that is none, and an input where none is taken, are refused',
  async ({ connect }) => {
    const longshore = await connect();
    const flow = defineFlow({
      name: 'f',
      steps: (s) => {
        const chosen = s.decide('route', echo, { branches: ['left', 'right'], input: () => 'right' });
        s.step('left', echo, { on: chosen.left, input: () => 1 });
        s.each('items', fail, { over: [1], after: [chosen], failure: 'block' });
      },
    });
    const run = await longshore.flows.start(flow, null);
    for (const result of ['middle', ['left', 'middle'], { left: true }])
      await assert.rejects(longshore.flows.complete(run.id, 'route', result), {
        code: 'FLOW_BRANCH_UNKNOWN',
      });
    await longshore.flows.complete(run.id, 'route', 'left');
    await idle(longshore);
    await assert.rejects(longshore.flows.retry(run.id, 'items', { input: 2 }), {
      code: 'OPTION_INVALID',
      message: "step 'items' takes no input by hand; leave input out.",
    });
    await longshore.flows.skip(run.id, 'items');
    await idle(longshore);
    const detail = await longshore.flows.get(run.id);
    assert.deepEqual(
      [detail?.state, detail?.steps.map(({ state }) => state)],
      ['completed', ['completed', 'completed', 'skipped']],
    );
  },
);

eachStore('a cancelled run stops its waiting jobs and child runs, and ends', async ({ connect }) => {
  const longshore = await connect();
  const inner = defineFlow({ name: 'inner', steps: (s) => s.waitFor('never') });
  const outer = defineFlow({
    name: 'outer',
    steps: (s) => {
      s.step('later', echo);
      s.flow('child', inner);
    },
  });
  const run = await longshore.flows.start(outer, null);
  await longshore.flows.planner.sweep(0);
  await longshore.flows.cancel(run.id, { by: 'ada' });
  await idle(longshore);
  assert.equal((await run.ended()).state, 'cancelled');
  assert.equal((await longshore.flows.get(`${run.id}>child`))?.state, 'cancelled');
  assert.equal((await longshore.jobs.list({ state: 'cancelled' })).jobs.length, 1);
});

eachStore('what completed is undone in reverse order when a later step fails', async ({ connect }) => {
  const longshore = await connect();
  const undone: unknown[] = [];
  const undo = defineTask({ name: 'undo', run: ({ input }) => void undone.push(input) });
  const flow = defineFlow({
    name: 'saga',
    steps: (s) => {
      const a = s.step('a', echo, { input: () => 'a', undo });
      const b = s.step('b', echo, { after: [a], input: () => 'b', undo });
      return s.step('c', fail, { after: [b] });
    },
  });
  const run = await longshore.flows.start(flow, null);
  await longshore.worker({ tasks: [...tasks, undo] }).runUntilIdle();
  assert.equal((await run.ended()).state, 'failed');
  assert.deepEqual(undone, ['b', 'a']);
});

eachStore(
  'a path that leads nowhere, a fan-out over what is no list: the step’s failure, with a code',
  async ({ connect }) => {
    const longshore = await connect();
    // biome-ignore lint/suspicious/noExplicitAny: the schema promises more than the handler keeps.
    const liar = defineTask({ name: 'echo', run: (): any => ({}) });
    const missing = defineFlow({
      name: 'f',
      steps: (s) => s.step('b', liar, { input: () => s.step('a', liar).x.y }),
    });
    const noList = defineFlow({
      name: 'g',
      steps: (s) => s.each('b', liar, { over: s.step('a', liar).list }),
    });
    const runs = [await longshore.flows.start(missing, null), await longshore.flows.start(noList, null)];
    await longshore.worker({ tasks: [liar] }).runUntilIdle();
    for (const run of runs)
      await assert.rejects(run.result(), { code: 'RUN_FAILED', message: /is not there/ });
  },
);

onEachStore(
  'a step that was ended by hand names the job it had, or none',
  async ({ connect }) => {
    const longshore = await connect();
    const fails = defineTask({
      name: 'fails',
      attempts: 1,
      run: () => {
        throw new Error('no');
      },
    });
    const flow = defineFlow({
      name: 'by-hand',
      steps: (s) => s.step('later', fails, { after: [s.step('first', fails, { failure: 'block' })] }),
    });
    const run = await longshore.flows.start(flow, null);
    await longshore.worker({ tasks: [fails] }).runUntilIdle();
    await longshore.flows.complete(run.id, 'later', 1);
    await longshore.flows.complete(run.id, 'first', 2);
    const steps = (await longshore.flows.get(run.id))?.steps ?? [];
    assert.deepEqual(
      steps.map(({ name, state, job }) => [name, state, job?.state ?? null]),
      [
        ['first', 'completed', 'failed'],
        ['later', 'completed', null],
      ],
    );
    assert.equal(steps[1]?.job, null);
  },
  PLAN_KINDS,
);
