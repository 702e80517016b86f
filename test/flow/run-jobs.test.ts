/** Jobs of a run, found by its id: no job carries an index for it. */
import assert from 'node:assert/strict';
import { defineFlow, defineTask, type Longshore } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';

// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const echo = defineTask<any, any>({ name: 'echo', run: ({ input }) => input });
const undo = defineTask<unknown, void>({ name: 'undo', run: () => undefined });
const fails = defineTask({
  name: 'fails',
  attempts: 1,
  run: (): null => {
    throw new Error('no');
  },
});
const inner = defineFlow({ name: 'inner', steps: (s) => s.step('leaf', echo, { queue: 'leaves' }) });
const outer = defineFlow({
  name: 'outer',
  steps: (s) => {
    const first = s.step('first', echo, { undo, input: () => 'first' });
    const items = s.each('items', echo, { over: 1_200, after: [first] });
    const child = s.flow('child', inner, { input: () => 'leaf', after: [items] });
    return s.step('last', fails, { after: [child] });
  },
});

type Listed = Parameters<Longshore['jobs']['list']>[0];

async function pages(longshore: Longshore, options: Listed) {
  const found = [];
  let cursor: string | undefined;
  do {
    const page = await longshore.jobs.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
    found.push(page.jobs);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

onEachStore('jobs of a run are listed in the order of its steps, page by page', async ({ connect }) => {
  const longshore = await connect();
  const [run, other] = await longshore.flows.startMany(outer, [null, null]);
  await longshore.enqueue(echo, 'of no run');
  await longshore.worker({ tasks: [echo, undo, fails], queues: ['default', 'leaves'] }).runUntilIdle();
  assert.equal((await run?.ended())?.state, 'failed');
  const id = run?.id ?? '';
  const found = await pages(longshore, { run: id, limit: 1_000 });
  assert.deepEqual(
    found.map((page) => page.length),
    [1_000, 204],
  );
  const jobs = found.flat();
  assert.equal(new Set(jobs.map((job) => job.id)).size, 1_204);
  assert.deepEqual(
    [jobs[0], jobs[1], jobs[2], jobs[1_201], jobs[1_202], jobs[1_203]].map((job) => [job?.task, job?.input]),
    // The first step's undo stands beside it; a run that is a step comes behind the run's own jobs.
    [
      ['echo', 'first'],
      ['undo', 'first'],
      ['echo', 0],
      ['echo', 1_199],
      ['fails', 'leaf'],
      ['echo', 'leaf'],
    ],
  );
  const listed = async (options: Listed) => (await longshore.jobs.list(options)).jobs.map(({ task }) => task);
  assert.deepEqual(await listed({ run: id, state: 'failed' }), ['fails']);
  assert.deepEqual(await listed({ run: id, queue: 'leaves' }), ['echo']);
  assert.deepEqual(await listed({ run: id, task: 'undo' }), ['undo']);
  assert.deepEqual(await listed({ run: id, tag: 'none' }), []);
  assert.deepEqual(await listed({ run: id, correlationId: 'none' }), []);
  assert.deepEqual(await listed({ run: `${id}>child` }), ['echo']);
  assert.equal((await pages(longshore, { run: other?.id ?? '', limit: 7 })).flat().length, 1_204);
});

onEachStore('a page of a run goes on while the run does', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => s.step('b', echo, { after: [s.each('a', echo, { over: 3 })] }),
  });
  const { id } = await longshore.flows.start(flow, null);
  const first = await longshore.jobs.list({ run: id, limit: 3 });
  assert.deepEqual(
    first.jobs.map(({ state, input }) => [state, input]),
    [0, 1, 2].map((item) => ['ready', item]),
  );
  await longshore.worker({ tasks: [echo] }).runUntilIdle();
  const next = await longshore.jobs.list({ run: id, limit: 3, cursor: first.cursor ?? '' });
  assert.deepEqual(
    next.jobs.map(({ state, input }) => [state, input]),
    [['completed', [0, 1, 2]]],
  );
  assert.equal(next.cursor, null);
});

onEachStore('a run that there is not, and a cursor of another list, are refused', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({ name: 'f', steps: (s) => s.waitFor('go') });
  const { id } = await longshore.flows.start(flow, null);
  assert.deepEqual(await longshore.jobs.list({ run: id }), { jobs: [], cursor: null });
  await assert.rejects(longshore.jobs.list({ run: 'nobody' }), { code: 'RUN_UNKNOWN' });
  for (const cursor of ['nonsense', Buffer.from('["r","s:x:0"]').toString('base64url')])
    await assert.rejects(longshore.jobs.list({ run: id, cursor }), { code: 'OPTION_INVALID' });
  await assert.rejects(longshore.jobs.list({ run: 5 as never }), { code: 'OPTION_INVALID' });
});
