import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AnyTask, connect } from '../../src/index.ts';
import { eventually, record } from '../stage.ts';
import * as tasks from './tasks/failures.ts';

/** Cheap failures, with a hard one among so many. */
const JOBS = 5_000;
const HARD_EVERY = 250;

for (const strategy of ['thread', 'process'] as const) {
  test(`${JOBS} mixed failures leave no slot, handle or ${strategy} behind`, async (t: TestContext) => {
    const { fine, throws, exits, throwsLater, rejectsLater, hangs } = tasks;
    const longshore = await connect('memory:');
    t.after(() => longshore.close());
    const used: AnyTask[] = [fine, throws, exits, throwsLater, rejectsLater, hangs];
    const worker = longshore.worker({
      tasks: used,
      strategy,
      abortGraceMs: 20,
      concurrency: 8,
      graceMs: 100,
    });
    const [started, ended] = [record(longshore, 'host.started'), record(longshore, 'host.ended')];
    const handlesBefore = process.getActiveResourcesInfo().length;
    await worker.start();
    const hard = [exits, throwsLater, rejectsLater, hangs];
    const names = Array.from({ length: JOBS }, (_, n) => {
      if (n % HARD_EVERY === 0) return (hard[(n / HARD_EVERY) % hard.length] as AnyTask).name;
      return n % 2 === 0 ? fine.name : throws.name;
    });
    for (const name of new Set(names))
      await longshore.enqueueMany(
        name,
        names.filter((other) => other === name),
        { attempts: 1 },
      );
    await eventually(() => worker.tally.completed + worker.tally.failed === JOBS);
    const expected = names.filter((name) => name === fine.name).length;
    assert.deepEqual([worker.tally.completed, worker.tally.failed], [expected, JOBS - expected]);
    assert.equal(worker.running, 0);
    const hardOnes = names.filter((name) => name !== fine.name && name !== throws.name).length;
    await worker.stop();
    const dead = ended.filter(({ event }) => event.why === 'crashed' || event.why === 'killed');
    assert.equal(dead.length, hardOnes);
    assert.equal(started.length, ended.length);
    await eventually(() => process.getActiveResourcesInfo().length <= handlesBefore);
  });
}
