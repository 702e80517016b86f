import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { defineTask } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';

onEachStore(
  'a payload damaged in the file stops that job alone, with a clear error',
  async ({ connect, url }) => {
    const longshore = await connect();
    const task = defineTask({ name: 'task', attempts: 5, run: ({ input }) => input });
    const jobs = await longshore.enqueueMany(task, [{ n: 0 }, { n: 1 }, { n: 2 }]);
    const file = new DatabaseSync(url.slice('sqlite:'.length));
    file.prepare('UPDATE job SET input = ? WHERE id = ?').run('{"n":', jobs[1]?.id ?? '');
    file.close();
    const tally = await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.equal(tally.completed, 2);
    assert.equal(tally.failed, 1);
    assert.deepEqual(await jobs[0]?.result(), { n: 0 });
    assert.deepEqual(await jobs[2]?.result(), { n: 2 });
    const damaged = await longshore.jobs.get(jobs[1]?.id ?? '');
    assert.equal(damaged?.state, 'failed');
    assert.equal(damaged?.attempt, 1);
    assert.equal(damaged?.errors[0]?.code, 'PAYLOAD_CORRUPT');
    assert.match(
      damaged?.errors[0]?.message ?? '',
      new RegExp(`the stored input of job ${damaged?.id}`, 'i'),
    );
    assert.deepEqual(damaged?.input, { corrupt: '{"n":' });
  },
  ['sqlite'],
);

onEachStore(
  'a result damaged in the file is an error of that read alone',
  async ({ connect, url }) => {
    const longshore = await connect();
    const task = defineTask({ name: 'task', run: ({ input }) => input });
    const [bad, good] = await longshore.enqueueMany(task, ['bad', 'good']);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    const file = new DatabaseSync(url.slice('sqlite:'.length));
    file.prepare("UPDATE job SET result = 'oops' WHERE id = ?").run(bad?.id ?? '');
    file.close();
    await assert.rejects(bad?.result() ?? assert.fail(), { code: 'PAYLOAD_CORRUPT' });
    assert.equal(await good?.result(), 'good');
    assert.deepEqual(
      (await longshore.jobs.list()).jobs.map(({ result }) => result),
      ['good', { corrupt: 'oops' }],
    );
  },
  ['sqlite'],
);

onEachStore(
  'a meta damaged in the file stops that job alone, with a clear error',
  async ({ connect, url }) => {
    const longshore = await connect();
    const task = defineTask({ name: 'task', attempts: 5, run: ({ input }) => input });
    const [bad, good] = await longshore.enqueueMany(task, [1, 2], { meta: { tags: ['a'] } });
    const file = new DatabaseSync(url.slice('sqlite:'.length));
    file.prepare('UPDATE job SET meta = ? WHERE id = ?').run('{"tags":', bad?.id ?? '');
    file.close();
    const tally = await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.deepEqual([tally.completed, tally.failed], [1, 1]);
    assert.equal(await good?.result(), 2);
    const damaged = await longshore.jobs.get(bad?.id ?? '');
    assert.deepEqual([damaged?.state, damaged?.attempt], ['failed', 1]);
    assert.equal(damaged?.errors[0]?.code, 'PAYLOAD_CORRUPT');
    assert.equal(damaged?.meta?.corrupt, '{"tags":');
  },
  ['sqlite'],
);
