import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromHost, RunJob } from '../../src/execution/protocol.ts';
import { ResidentJob } from '../../src/execution/resident-job.ts';

const RUN: RunJob = [7, 0, 'j', 'default', null, 1, 1, null, 1_000, null];

test('signs of life in a tight loop cross the border a few times a second, the last one included', () => {
  const said: FromHost[] = [];
  const job = new ResidentJob('tight', RUN, (message) => said.push(message));
  const { heartbeat } = job.context(null);
  const began = performance.now();
  for (let row = 0; row < 100_000; row += 1) heartbeat({ row });
  const tookMs = performance.now() - began;
  job.tell();
  assert.ok(said.length >= 2 && said.length <= tookMs / 20 + 2, `${said.length} messages in ${tookMs} ms`);
  assert.deepEqual(said[0], { type: 'alive', job: 7, progress: '{"row":0}' });
  assert.deepEqual(said.at(-1), { type: 'alive', job: 7, progress: '{"row":99999}' });
});

test('a sign of life without details leaves the progress as it is', () => {
  const said: FromHost[] = [];
  const { heartbeat } = new ResidentJob('tight', RUN, (message) => said.push(message)).context(null);
  heartbeat();
  assert.deepEqual(said, [{ type: 'alive', job: 7 }]);
});

test('calls of lastProgress() at the same time each get their own answer, also when the job has ended', async () => {
  const said: FromHost[] = [];
  const job = new ResidentJob('tight', RUN, (message) => said.push(message));
  const { lastProgress } = job.context(null);
  const answers = [lastProgress(), lastProgress()];
  job.finished = true;
  assert.deepEqual(said, [
    { type: 'ask', job: 7, call: 1, verb: 'lastProgress', given: [] },
    { type: 'ask', job: 7, call: 2, verb: 'lastProgress', given: [] },
  ]);
  assert.equal(job.asking, true);
  // A store may answer the second one first.
  job.answered({ type: 'answer', job: 7, call: 2, value: '"later"', error: null });
  job.answered({ type: 'answer', job: 7, call: 1, value: null, error: null });
  assert.deepEqual(await Promise.all(answers), [undefined, 'later']);
  assert.equal(job.asking, false);
  await assert.rejects(lastProgress(), { code: 'JOB_STATE_REFUSED' });
});
