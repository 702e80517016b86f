import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { temporaryFolder } from '../stage.ts';
import { Fleet } from './fleet.ts';

const JOBS = 30;

for (const verb of ['enqueue', 'claim', 'settle']) {
  for (const when of ['before', 'after']) {
    test(`a process killed ${when} the commit of ${verb} loses nothing and repeats nothing settled`, async (t) => {
      const fleet = new Fleet(t);
      const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
      const longshore = await connect(url);
      t.after(() => longshore.close());
      const settings = { leaseMs: 500, crashesMax: 100, concurrency: 4 };
      // The 7th enqueue, or the 3rd of what a worker does: in the middle of the work.
      const times = verb === 'enqueue' ? 7 : 3;
      const doomed = fleet.start(
        'work',
        { url, settings, dies: true, enqueue: JOBS },
        { DIE_AT: `${when}:${verb}:${times}` },
      );
      await doomed.exited;
      assert.equal(doomed.child.signalCode, 'SIGKILL', 'it did not die at the named point');

      const acked = fleet.all('acked').flatMap(({ ids }) => ids);
      const { jobs } = await longshore.jobs.list({ limit: 1_000 });
      const stored = verb === 'enqueue' ? times - 1 + (when === 'after' ? 1 : 0) : JOBS;
      assert.equal(acked.length, verb === 'enqueue' ? times - 1 : JOBS);
      assert.equal(jobs.length, stored);
      const ids = new Set(jobs.map(({ id }) => id));
      assert.ok(acked.every((id) => ids.has(id)));
      const done = new Map(jobs.filter(({ state }) => state === 'completed').map((job) => [job.id, job]));

      await fleet.ready(fleet.start('work', { url, settings, dies: false, enqueue: 0 }));
      await Promise.all([...ids].map((id) => longshore.jobs.handle(id).ended()));
      const after = await longshore.jobs.list({ limit: 1_000 });
      assert.ok(after.jobs.every(({ state }) => state === 'completed'));
      for (const job of after.jobs) {
        const before = done.get(job.id);
        if (before !== undefined) assert.deepEqual(job, before, 'a settled job was touched again');
      }
      // The receipt of a job settled before the death was not always heard, but none is heard twice.
      const settled = fleet.all('settled').map(({ id }) => id);
      assert.equal(new Set(settled).size, settled.length);
    });
  }
}
