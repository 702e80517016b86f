import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { noKeys } from '../../../src/cipher.ts';
import { connect, Longshore } from '../../../src/connect.ts';
import type { LongshoreError } from '../../../src/core/errors.ts';
import { PAYLOAD_BYTES_MAX_DEFAULT, PayloadCodec } from '../../../src/core/payload.ts';
import { defineTask } from '../../../src/core/task.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { claimRequest, completed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { record } from '../../stage.ts';
import { type OwnServer, ownServer } from './server.ts';

/** No server can be set to take less: 1 MiB in an argument. */
const SMALL_ARGUMENTS = ['--proto-max-bulk-len', '1048576'];
const HALF = JSON.stringify('x'.repeat(500_000));
const WHOLE = JSON.stringify('x'.repeat(1_048_574));

const FAILED = {
  type: 'failed',
  error: { attempt: 1, at: 1, name: 'Error', message: 'm', stack: null, code: null },
} as const;

function smallServer(t: TestContext): Promise<OwnServer> {
  return ownServer(t, { args: SMALL_ARGUMENTS });
}

test('large jobs that are enqueued and settled at once go through a server that takes small arguments', async (t) => {
  const store = await (await smallServer(t)).open();
  const jobs = Array.from({ length: 12 }, () => spec({ input: HALF }));
  const receipts = await Promise.all(jobs.map((job) => store.enqueue([job])));
  assert.ok(receipts.every(([receipt]) => receipt?.status === 'created'));
  const { leases } = await store.claim(claimRequest({ limit: 20 }));
  assert.ok(leases.length === 12 && leases.every(({ input }) => input === HALF));
  const settled = await Promise.all(
    leases.map(({ id, token }) => store.settle([{ id, token, outcome: completed(HALF) }])),
  );
  assert.ok(settled.every(([receipt]) => receipt?.status === 'settled'));
  assert.ok((await store.get(jobs.map(({ id }) => id))).every((job) => job?.result === HALF));
});

test('a batch of several megabytes in every verb goes through such a server', async (t) => {
  const store = await (await smallServer(t)).open();
  const small = Array.from({ length: 300 }, () => spec({ input: JSON.stringify('é'.repeat(5_000)) }));
  const large = Array.from({ length: 4 }, () => spec({ input: WHOLE, key: 'k' }));
  await store.enqueue([...small, ...large]);
  const { leases } = await store.claim(claimRequest({ limit: 400 }));
  assert.ok(leases.every(({ input }, index) => input === [...small, ...large][index]?.input));
  assert.equal(leases.length, 304);
  const held = leases.map(({ id, token }) => ({ id, token }));
  const logs = Array.from({ length: 4 }, () => ({ at: 1, attempt: 1, message: 'm', data: HALF }));
  const noted = await store.annotate(
    held.map((lease) => ({ ...lease, progress: '"p"', logs: logs.slice(0, 1) })).slice(0, 4),
  );
  assert.deepEqual(noted, ['noted', 'noted', 'noted', 'noted']);
  assert.deepEqual(await store.annotate([{ ...(held[4] as (typeof held)[0]), progress: WHOLE, logs }]), [
    'noted',
  ]);
  const settled = await store.settle(
    held.map((lease, index) => ({
      ...lease,
      outcome: completed(index < 5 ? WHOLE : JSON.stringify('y'.repeat(9_000))),
    })),
  );
  assert.ok(settled.every(({ status }) => status === 'settled'));
  const [first, , , , fifth] = await store.get(held.map(({ id }) => id));
  assert.deepEqual(
    [first?.result, first?.progress, fifth?.result, fifth?.progress],
    [WHOLE, '"p"', WHOLE, WHOLE],
  );
  const failed = spec({ input: WHOLE });
  await store.enqueue([failed]);
  const [lease] = (await store.claim(claimRequest({ limit: 1 }))).leases;
  await store.settle([{ id: failed.id, token: lease?.token ?? '', outcome: FAILED }]);
  const command = { type: 'resolve', id: failed.id, by: 'ada', why: null, result: WHOLE } as const;
  assert.equal((await store.control([command]))[0]?.status, 'done');
  assert.equal((await store.get([command.id]))[0]?.result, WHOLE);
});

test('three results of 500 KB that end together are settled, and what comes later too', async (t) => {
  const server = await smallServer(t);
  const longshore = await connect(server.url);
  t.after(() => longshore.close());
  const failures = record(longshore, 'store.failed');
  const together = Promise.withResolvers<void>();
  let running = 0;
  const task = defineTask({
    name: 'task',
    run: async ({ input }) => {
      running += 1;
      if (running === 3) together.resolve();
      await together.promise;
      return 'x'.repeat(input as number);
    },
  });
  await longshore.worker({ tasks: [task], concurrency: 3 }).start();
  const jobs = await longshore.enqueueMany(task, [500_000, 500_000, 500_000]);
  const results = await Promise.all(jobs.map((job) => job.result()));
  assert.deepEqual(
    results.map((result) => (result as string).length),
    [500_000, 500_000, 500_000],
  );
  assert.equal(await (await longshore.enqueue(task, 1)).result(), 'x');
  assert.deepEqual(failures, []);
});

test('a call that is too large is refused for good, before it is sent, and others pass', async (t) => {
  const server = await ownServer(t);
  const store = await server.open({ requestBytesMax: 700_000 });
  const [small, other] = [spec(), spec()];
  const outcomes = await Promise.allSettled([
    store.enqueue([small]),
    store.enqueue([spec({ input: HALF }), spec({ input: HALF })]),
    store.enqueue([spec({ input: WHOLE })]),
    store.enqueue([other]),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    const { code, retryable, message } = outcome.reason as LongshoreError;
    assert.deepEqual([code, retryable], ['PAYLOAD_TOO_LARGE', false]);
    assert.match(
      message,
      /^enqueue takes 10\d+ bytes; Redis at 127.* is sent at most 700000 in one call.*several calls/,
    );
  }
  assert.equal((await store.list({ limit: 10 })).jobs.length, 2);
});

test('a result that is too large makes its job a dead letter that says so, and others pass', async (t) => {
  const server = await ownServer(t);
  const codec = new PayloadCodec(PAYLOAD_BYTES_MAX_DEFAULT, noKeys);
  const parts = { codec, workerSettings: {}, clock: systemClock };
  const longshore = new Longshore(await server.open({ requestBytesMax: 700_000 }), parts);
  const task = defineTask({ name: 'task', run: ({ input }) => 'x'.repeat(input as number) });
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  const jobs = await longshore.enqueueMany(task, [1, 1_000_000, 2]);
  const ended = await Promise.all(jobs.map((job) => job.ended()));
  assert.deepEqual(
    ended.map(({ state }) => state),
    ['completed', 'failed', 'completed'],
  );
  const dead = await longshore.jobs.get(jobs[1]?.id ?? '');
  assert.equal(dead?.errors[0]?.code, 'PAYLOAD_TOO_LARGE');
  assert.match(dead?.errors[0]?.message ?? '', /^settle takes 1000\d+ bytes/);
  assert.equal(await (await longshore.enqueue(task, 3)).result(), 'xxx');
  await longshore.close();
});
