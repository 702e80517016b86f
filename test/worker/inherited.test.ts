/** Correlation ids and traces go from a job to what its handler enqueues (src/core/inherited.ts, src/current-job.ts). */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineFlow, defineTask, type JobFlow } from '../../src/index.ts';
import { Gate, onEachStore, PLAN_KINDS } from '../stage.ts';

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1' };

onEachStore(
  'a tree of jobs has one correlation id, that of its root, and is found by it',
  async ({ connect }) => {
    const longshore = await connect();
    const leaf = defineTask({ name: 'leaf', run: ({ correlationId }) => correlationId });
    const child = defineTask({
      name: 'child',
      run: async ({ correlationId }) => {
        await nextTurn();
        await longshore.enqueueMany(leaf, [1, 2]);
        return correlationId;
      },
    });
    const root = defineTask({
      name: 'root',
      run: async ({ correlationId }) => {
        await nextTurn();
        await longshore.enqueue(child, null, { meta: { tags: ['child'] } });
        return correlationId;
      },
    });
    const job = await longshore.enqueue(root);
    const other = await longshore.enqueue(root);
    await longshore.worker({ tasks: [root, child, leaf] }).runUntilIdle();
    assert.equal((await longshore.jobs.get(job.id))?.meta, null);
    for (const { id } of [job, other]) {
      const { jobs } = await longshore.jobs.list({ correlationId: id });
      assert.deepEqual(jobs.map(({ task }) => task).sort(), ['child', 'leaf', 'leaf', 'root']);
      assert.ok(jobs.every(({ result }) => result === id));
    }
    const { jobs: tagged } = await longshore.jobs.list({ tag: 'child' });
    assert.deepEqual(
      tagged.map(({ task }) => task),
      ['child', 'child'],
    );
  },
);

onEachStore('what is given wins over what is inherited, each by itself', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'child', run: () => null });
  const own = { traceparent: TRACE.traceparent.replace('b7ad', 'b7ae') };
  const root = defineTask({
    name: 'root',
    run: () =>
      longshore.enqueueMany(task, [{}, { correlationId: 'given' }, own], (meta) => ({
        meta: meta as object,
      })),
  });
  await longshore.enqueue(root, undefined, { meta: { correlationId: 'order', tags: ['root'], ...TRACE } });
  await longshore.worker({ tasks: [root] }).runUntilIdle();
  const { jobs } = await longshore.jobs.list({ task: 'child' });
  assert.deepEqual(
    jobs.map(({ meta }) => [meta?.correlationId, meta?.traceparent, meta?.tracestate, meta?.tags]).reverse(),
    [
      ['order', TRACE.traceparent, TRACE.tracestate, []],
      ['given', TRACE.traceparent, TRACE.tracestate, []],
      ['order', own.traceparent, null, []],
    ],
  );
});

onEachStore(
  'handlers that run at the same time are told apart, and whoever is outside inherits nothing',
  async ({ connect }) => {
    const longshore = await connect();
    const gate = new Gate();
    const task = defineTask({
      name: 'parent',
      run: async ({ id, input }) => {
        if (input === 'first') await gate.wait();
        else gate.open();
        await nextTurn();
        await longshore.enqueue('child', id);
      },
    });
    longshore.on('job.completed', ({ task: name, id }) => {
      if (name === 'parent') void longshore.enqueue('heard', id);
    });
    await longshore.enqueueMany(task, ['first', 'second', 'third']);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    const outside = await longshore.enqueue('outside');
    const { jobs } = await longshore.jobs.list({ state: ['ready', 'scheduled'] });
    const children = jobs.filter((job) => job.task === 'child');
    assert.equal(children.length, 3);
    for (const { meta, input } of children) assert.equal(meta?.correlationId, input);
    for (const job of jobs.filter(({ task: name }) => name !== 'child')) assert.equal(job.meta, null);
    assert.equal((await longshore.jobs.get(outside.id))?.meta, null);
  },
);

onEachStore(
  'steps carry what their run was given, and what they enqueue goes by the outermost run otherwise',
  async ({ connect }) => {
    const longshore = await connect();
    const seen: (JobFlow | null)[] = [];
    const step = defineTask({
      name: 'step',
      run: async ({ flow, correlationId }) => {
        seen.push(flow);
        await nextTurn();
        await longshore.enqueue('child', flow?.step);
        return correlationId;
      },
    });
    const inner = defineFlow({ name: 'inner', steps: (s) => s.step('deep', step) });
    const outer = defineFlow({
      name: 'outer',
      steps: (s) => s.flow('nested', inner, { after: [s.step('first', step)] }),
    });
    const starts = defineTask({
      name: 'starts',
      run: () => longshore.flows.start(outer, null, { id: 'c' }).then(({ id }) => id),
    });
    const plain = await longshore.flows.start(outer, null, { id: 'a' });
    const given = await longshore.flows.start(outer, null, {
      id: 'b',
      meta: { correlationId: 'order', ...TRACE },
    });
    const root = await longshore.enqueue(starts);
    await longshore.worker({ tasks: [step, starts] }).runUntilIdle();
    const runs = [plain, given, longshore.flows.handle('c')];
    const expected = ['a', 'order', root.id];
    for (const [index, run] of runs.entries()) {
      assert.equal(await run.result(), expected[index]);
      const { jobs } = await longshore.jobs.list({ correlationId: expected[index] as string, task: 'child' });
      assert.deepEqual(jobs.map(({ input }) => input).sort(), ['deep', 'first']);
    }
    const steps = await longshore.jobs.list({ correlationId: 'order', task: 'step' });
    assert.deepEqual(
      steps.jobs.map(({ meta }) => [meta?.correlationId, meta?.traceparent]),
      Array(2).fill(['order', TRACE.traceparent]),
    );
    const place = { item: null, undo: false };
    assert.deepEqual(
      seen.filter((flow) => flow?.run.startsWith('a')),
      [
        { run: 'a', flow: 'outer', step: 'first', ...place },
        { run: 'a>nested', flow: 'inner', step: 'deep', ...place },
      ],
    );
  },
  PLAN_KINDS,
);

onEachStore('events carry the correlation id', async ({ connect }) => {
  const longshore = await connect();
  const told: [string, string, boolean][] = [];
  const names = ['job.enqueued', 'job.started', 'job.completed'] as const;
  for (const name of names)
    longshore.on(name, ({ id, correlationId }) => told.push([name, correlationId, id === correlationId]));
  const task = defineTask({ name: 'task', run: () => null });
  const plain = await longshore.enqueue(task);
  await longshore.enqueue(task, undefined, { meta: { correlationId: 'order' } });
  await longshore.worker({ tasks: [task], serial: true }).runUntilIdle();
  assert.deepEqual(
    told.sort(),
    names
      .flatMap((name) => [
        [name, plain.id, true],
        [name, 'order', false],
      ])
      .sort(),
  );
});
