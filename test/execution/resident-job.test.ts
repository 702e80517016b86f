import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromHost, RunMessage } from '../../src/execution/protocol.ts';
import { ResidentJob } from '../../src/execution/resident-job.ts';

const RUN: RunMessage = {
  type: 'run',
  job: 7,
  task: 0,
  name: 'tight',
  id: 'j',
  queue: 'default',
  key: null,
  attempt: 1,
  attemptsMax: 1,
  input: null,
  payloadBytesMax: 1_000,
  measure: false,
};

test('signs of life in a tight loop cross the border a few times a second, the last one included', () => {
  const said: FromHost[] = [];
  const job = new ResidentJob(RUN, (message) => said.push(message));
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
  const { heartbeat } = new ResidentJob(RUN, (message) => said.push(message)).context(null);
  heartbeat();
  assert.deepEqual(said, [{ type: 'alive', job: 7 }]);
});
