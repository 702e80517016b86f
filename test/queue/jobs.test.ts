import assert from 'node:assert/strict';
import { z } from 'zod';
import { declareTask, defineTask, implementTask, type Longshore } from '../../src/index.ts';
import { Gate, onEachStore } from '../stage.ts';

const task = defineTask({
  name: 'task',
  attempts: 1,
  run: ({ input }) => {
    if (input === 'fail') throw new Error('no');
    return input;
  },
});

/** Failed jobs, by running them. */
async function failed(longshore: Longshore, count: number): Promise<string[]> {
  const jobs = await longshore.enqueueMany(task, new Array(count).fill('fail'));
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  return jobs.map(({ id }) => id);
}

onEachStore('jobs are listed newest first, by state, queue and task, page by page', async ({ connect }) => {
  const longshore = await connect();
  const first = await longshore.enqueueMany('a', [1, 2, 3, 4, 5], { queue: 'one' });
  const second = await longshore.enqueueMany('b', [6, 7], { queue: 'two', delayMs: 60_000 });
  const ids = [...first, ...second].map(({ id }) => id).reverse();
  const listed = async (options: Parameters<typeof longshore.jobs.list>[0]) =>
    (await longshore.jobs.list(options)).jobs.map(({ id }) => id);
  assert.deepEqual(await listed({}), ids);
  assert.deepEqual(await listed({ state: 'scheduled' }), ids.slice(0, 2));
  assert.deepEqual(await listed({ state: ['ready', 'scheduled'] }), ids);
  assert.deepEqual(await listed({ queue: 'one' }), ids.slice(2));
  assert.deepEqual(await listed({ task: 'b' }), ids.slice(0, 2));
  assert.deepEqual(await listed({ queue: 'one', task: 'b' }), []);
  const pages: string[][] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof longshore.jobs.list>> = await longshore.jobs.list({
      limit: 3,
      ...(cursor === null ? {} : { cursor }),
    });
    pages.push(page.jobs.map(({ id }) => id));
    cursor = page.cursor;
    // What comes in between does not disturb the pages after it.
    await longshore.enqueue('a', 'new');
  } while (cursor !== null);
  assert.deepEqual(pages, [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
});

onEachStore('a job is looked at by its task, and by no other', async ({ connect }) => {
  const longshore = await connect();
  const declared = declareTask<{ at: Date }, { at: Date }>({ name: 'declared' });
  const { id } = await longshore.enqueue(declared, { at: new Date(5) });
  const waiting = await longshore.jobs.get(declared, id);
  assert.equal(waiting?.input.at, '1970-01-01T00:00:00.005Z');
  assert.equal(waiting?.result, undefined);
  const implemented = implementTask(declared, () => ({ at: new Date(6) }));
  await longshore.worker({ tasks: [implemented] }).runUntilIdle();
  assert.equal((await longshore.jobs.get(implemented, id))?.result?.at, '1970-01-01T00:00:00.006Z');
  assert.deepEqual(await longshore.jobs.handle(declared, id).result(), { at: '1970-01-01T00:00:00.006Z' });
  assert.equal(await longshore.jobs.get(declared, 'no such id'), null);
  await assert.rejects(longshore.jobs.get(task, id), {
    code: 'OPTION_INVALID',
    message: `task is "task"; expected "declared", the task of job ${id}.`,
  });
  await assert.rejects(longshore.jobs.get({} as never, id), { code: 'TASK_INVALID' });
});

onEachStore('a wrong filter or selection is refused, and touches no job', async ({ connect }) => {
  const longshore = await connect();
  await longshore.enqueue('task', 1);
  const { jobs } = longshore;
  for (const [call, message] of [
    [() => jobs.list({ state: 'done' as never }), /state is "done"; expected scheduled, /],
    [() => jobs.list({ limit: 0 }), /limit is 0/],
    [() => jobs.list({ limit: 1_001 }), /limit is 1001/],
    [() => jobs.list({ cursor: 'nonsense' }), /cursor/],
    [() => jobs.remove({ id: 'x' } as never), /selection has no criterion "id"; give the id itself/],
    [() => jobs.remove({ queue: undefined } as never), /selection\.queue is undefined/],
    [() => jobs.remove({ state: 'done' as never }), /state is "done"/],
    [() => jobs.remove(undefined as never), /selection is undefined/],
    [() => jobs.cancel(7 as never), /selection is 7/],
    [() => jobs.remove({}), /selection is \{\}, which names no job/],
    [() => jobs.reschedule({ all: true }, Number.NaN), /at is NaN/],
    [() => jobs.reschedule({ all: true }, 1e300), /at is 1e\+300/],
    [() => jobs.reprioritize({ all: true }, 0.5), /priority is 0\.5/],
  ] as const) {
    await assert.rejects(call, { code: 'OPTION_INVALID', message }, message.source);
  }
  await assert.rejects(jobs.resolve({ all: true }, 1n), { code: 'PAYLOAD_NOT_JSON' });
  assert.equal((await jobs.list({ state: 'ready' })).jobs.length, 1);
});

onEachStore('an action reports what was done, refused and unknown', async ({ connect }) => {
  const longshore = await connect();
  const [dead] = await failed(longshore, 1);
  const { id: ready } = await longshore.enqueue(task, 1);
  const report = await longshore.jobs.redrive([dead ?? '', ready, 'no-such-job']);
  assert.deepEqual(report, {
    done: [dead],
    requested: [],
    refused: [{ id: ready, state: 'ready' }],
    unknown: ['no-such-job'],
  });
  assert.deepEqual((await longshore.jobs.redrive('no-such-job')).unknown, ['no-such-job']);
  const cancelled = await longshore.jobs.cancel(ready);
  assert.deepEqual(cancelled, { done: [ready], requested: [], refused: [], unknown: [] });
});

onEachStore('who acts is a name, and why is a text', async ({ connect }) => {
  const longshore = await connect();
  const { id } = await longshore.enqueue('a', 1);
  for (const options of [{ by: 'a\nb' }, { by: '' }, { by: 5 as never }, { why: 5 as never }])
    await assert.rejects(longshore.jobs.cancel(id, options), {
      code: 'OPTION_INVALID',
      message: /^(by|why) is/,
    });
  assert.equal((await longshore.jobs.get(id))?.state, 'ready');
});

onEachStore(
  'dead letters are redriven by id or all at once, with their errors and a fresh budget',
  async (stage) => {
    const longshore = await stage.connect();
    const ids = await failed(longshore, 5);
    const one = await longshore.jobs.redrive(ids[0] ?? '', { by: 'ada', why: 'ink was bought' });
    assert.deepEqual(one.done, [ids[0]]);
    const rest = await longshore.jobs.redrive({ state: 'failed' });
    assert.deepEqual(new Set(rest.done), new Set(ids.slice(1)));
    const job = await longshore.jobs.get(ids[0] ?? '');
    assert.deepEqual([job?.state, job?.attempt, job?.errors.length], ['ready', 0, 1]);
    assert.deepEqual(
      job?.audit.map(({ action, by, why, from, to }) => ({ action, by, why, from, to })),
      [{ action: 'redrive', by: 'ada', why: 'ink was bought', from: 'failed', to: 'ready' }],
    );
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.equal((await longshore.jobs.get(ids[0] ?? ''))?.errors.length, 2);
  },
);

onEachStore(
  'a bulk action takes more jobs than one page, narrowed by queue and task',
  async ({ connect }) => {
    const longshore = await connect();
    await longshore.enqueueMany('a', new Array(1_203).fill(1), { queue: 'one' });
    await longshore.enqueueMany('b', [1, 2], { queue: 'one' });
    await longshore.enqueueMany('a', [1], { queue: 'two' });
    const report = await longshore.jobs.cancel({ queue: 'one', task: 'a' });
    assert.equal(report.done.length, 1_203);
    assert.equal(new Set(report.done).size, 1_203);
    assert.equal((await longshore.jobs.list({ state: 'ready' })).jobs.length, 3);
    const removed = await longshore.jobs.remove({ state: 'cancelled' });
    assert.equal(removed.done.length, 1_203);
  },
);

onEachStore('a failed job is resolved by hand, with and without a result', async ({ connect }) => {
  const longshore = await connect();
  const ids = await failed(longshore, 2);
  await longshore.jobs.resolve(ids[0] ?? '', { total: 3 });
  await longshore.jobs.resolve(ids[1] ?? '');
  const [one, two] = await Promise.all(ids.map((id) => longshore.jobs.get(id)));
  assert.deepEqual(
    [one?.state, one?.result, two?.state, two?.result],
    ['completed', { total: 3 }, 'completed', undefined],
  );
  assert.deepEqual((await longshore.jobs.redrive(ids)).refused.length, 2);
});

onEachStore('waiting jobs get another time and another place in the line', async ({ connect }) => {
  const longshore = await connect();
  const ran: unknown[] = [];
  const noting = defineTask({ name: 'noting', run: ({ input }) => void ran.push(input) });
  const [first, second, third] = await longshore.enqueueMany(noting, [1, 2, 3]);
  assert.ok(first && second && third);
  await longshore.jobs.reschedule(first.id, Date.now() + 3_600_000);
  await longshore.jobs.reprioritize(third.id, 'high');
  const worker = longshore.worker({ tasks: [noting], serial: true });
  await worker.runUntilIdle();
  assert.deepEqual(ran, [3, 2]);
  assert.equal((await longshore.jobs.get(first.id))?.state, 'scheduled');
  await longshore.jobs.reschedule(first.id, new Date(0));
  await worker.runUntilIdle();
  assert.deepEqual(ran, [3, 2, 1]);
});

onEachStore('a running job is not removed', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const slow = defineTask({ name: 'slow', run: () => gate.wait() });
  const job = await longshore.enqueue(slow, null);
  await longshore.worker({ tasks: [slow] }).start();
  await gate.reached;
  assert.deepEqual((await longshore.jobs.remove(job.id)).refused, [{ id: job.id, state: 'running' }]);
  assert.deepEqual((await longshore.jobs.remove({ all: true })).done, []);
  gate.open();
  await job.result();
  assert.deepEqual((await longshore.jobs.remove(job.id)).done, [job.id]);
  assert.equal(await longshore.jobs.get(job.id), null);
});

onEachStore(
  'a waiting job gets another input, which its task checks and its handler sees',
  async ({ connect }) => {
    const keys = [{ id: 'k', key: Buffer.alloc(32, 7).toString('base64') }];
    const longshore = await connect({ encryption: { keys } });
    const strict = defineTask({
      name: 'strict',
      input: z.object({ n: z.number() }),
      run: ({ input }) => input.n,
    });
    const { id } = await longshore.enqueue(strict, { n: 1 });
    const { jobs } = longshore;
    await assert.rejects(jobs.edit(id, { n: 'two' }, { task: strict }), { code: 'INPUT_INVALID' });
    await assert.rejects(jobs.edit(id, { n: 2 }, { task }), { code: 'OPTION_INVALID', message: /"strict"/ });
    assert.deepEqual((await jobs.edit(id, { n: 2 }, { task: strict, by: 'ada', why: 'a slip' })).done, [id]);
    const job = await jobs.get(id);
    assert.deepEqual(
      [job?.input, job?.audit.at(-1)?.action, job?.audit.at(-1)?.by],
      [{ n: 2 }, 'edit', 'ada'],
    );
    await longshore.worker({ tasks: [strict] }).runUntilIdle();
    assert.equal((await jobs.get(id))?.result, 2);
    assert.deepEqual((await jobs.edit(id, { n: 3 })).refused, [{ id, state: 'completed' }]);
    assert.deepEqual((await jobs.edit('nobody', 1)).unknown, ['nobody']);
  },
);

onEachStore(
  'a job with an id of the caller is added once, however often the call is made',
  async ({ connect }) => {
    const longshore = await connect();
    const id = '0199a1c2-7b3d-8004-9f31-2c6d0e5b8a17';
    const handles = [];
    for (let times = 0; times < 3; times += 1) handles.push(await longshore.enqueue(task, times, { id }));
    assert.deepEqual(
      handles.map((handle) => [handle.id, handle.status]),
      [
        [id, 'created'],
        [id, 'existing'],
        [id, 'existing'],
      ],
    );
    assert.equal((await longshore.jobs.get(id))?.input, 0);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.equal((await longshore.enqueue(task, 9, { id })).status, 'existing');
    await assert.rejects(longshore.enqueue(task, 9, { id: 'order-7' }), {
      code: 'OPTION_INVALID',
      message: /UUID/,
    });
  },
);
