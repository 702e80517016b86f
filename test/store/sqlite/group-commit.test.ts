import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BATCH_CHARS_MAX } from '../../../src/core/batch.ts';
import { LongshoreError } from '../../../src/core/errors.ts';
import type { JobSpec } from '../../../src/store/store.ts';
import { Place } from './place.ts';
import { completed, request, spec, specs } from './specs.ts';

function groups(place: Place): string[] {
  return readFileSync(`${place.file}.groups`, 'utf8').trimEnd().split('\n');
}

test('calls of one tick share one commit', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'groups' });
  await Promise.all(specs(100).map((job) => store.enqueue([job])));
  assert.deepEqual(groups(place), [Array(100).fill('enqueue').join(' ')]);
});

test('settling and claiming in one tick are one commit', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'groups' });
  await store.enqueue(specs(2));
  const { leases } = await store.claim(request({ limit: 1 }));
  await Promise.all([store.settle(leases.map((lease) => completed(lease))), store.claim(request())]);
  assert.deepEqual(groups(place), ['enqueue', 'claim', 'settle claim']);
});

test('a call that fails leaves the others of its group alone', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const [first, last] = [spec(), spec()];
  const bad = { ...spec(), queue: null } as unknown as JobSpec;
  const before = store.enqueue([first]);
  const failing = store.enqueue([spec(), bad]);
  const after = store.enqueue([last]);
  await assert.rejects(failing, { code: 'STORE_FAILED' });
  assert.deepEqual([(await before)[0]?.status, (await after)[0]?.status], ['created', 'created']);
  const { jobs } = await store.list({ limit: 10 });
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [last.id, first.id],
  );
});

test('data that cannot be sent fails its own call only', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const bad = { ...spec(), input: () => {} } as unknown as JobSpec;
  const [good, failing] = [store.enqueue([spec()]), store.enqueue([bad])];
  await assert.rejects(failing, { code: 'STORE_FAILED' });
  assert.equal((await good)[0]?.status, 'created');
});

test('what only reads does not wait for the write lock', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'impatient' });
  const [job] = await store.enqueue([spec({ queue: 'other', delayMs: 60_000 })]);
  const stranger = place.stranger();
  stranger.exec('BEGIN IMMEDIATE');
  const id = job?.id as string;
  assert.equal((await store.get([id]))[0]?.id, id);
  assert.equal((await store.list({ limit: 1 })).jobs.length, 1);
  assert.deepEqual((await store.trail(id))?.errors, []);
  assert.equal((await store.queues()).length, 1);
  assert.deepEqual(await store.workers(), []);
  assert.deepEqual((await store.claim(request({ queues: ['q', 'other'] }))).leases, []);
  assert.deepEqual(await store.reap(), { reaped: [] });
  assert.deepEqual(await store.prune(), { jobs: 0, workers: 0, more: false });
});

test('a lock that is held too long is STORE_BUSY, and the store works once it is free', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'impatient' });
  const stranger = place.stranger();
  stranger.exec('BEGIN IMMEDIATE');
  await assert.rejects(store.enqueue([spec()]), { code: 'STORE_BUSY', retryable: true });
  stranger.exec('ROLLBACK');
  assert.equal((await store.enqueue([spec()]))[0]?.status, 'created');
});

test('a lock that is let go in time is waited for', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const stranger = place.stranger();
  stranger.exec('BEGIN IMMEDIATE');
  const waiting = store.enqueue([spec()]);
  setImmediate(() => setImmediate(() => stranger.exec('ROLLBACK')));
  assert.equal((await waiting)[0]?.status, 'created');
});

test('an id that exists in the middle of a large batch is found there', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const batch = specs(50);
  const again = batch[30] as JobSpec;
  await store.enqueue([again]);
  const receipts = await store.enqueue(batch);
  assert.deepEqual(
    receipts.map(({ status }) => status),
    batch.map((job) => (job === again ? 'existing' : 'created')),
  );
  assert.deepEqual(
    receipts.map(({ id }) => id),
    batch.map(({ id }) => id),
  );
});

test('large calls of one tick are several commits, in call order', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'groups' });
  const input = JSON.stringify('x'.repeat(1_000_000));
  const jobs = specs(40).map((job) => ({ ...job, input }));
  const receipts = await Promise.all(jobs.map((job) => store.enqueue([job])));
  assert.ok(receipts.every(([receipt]) => receipt?.status === 'created'));
  // The last call of a group takes it beyond the bound.
  const most = Math.ceil((4 * BATCH_CHARS_MAX) / input.length);
  const committed = groups(place).map((line) => line.split(' ').length);
  assert.ok(committed.length >= 3 && committed.every((calls) => calls <= most), String(committed));
  const kept = await store.get(jobs.map(({ id }) => id));
  assert.ok(kept.every((job, index) => job?.input === input && job.seq - (kept[0]?.seq ?? 0) === index));
});

test('a call that is too large is refused for good, and others pass', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ callCharsMax: 10_000 });
  const input = JSON.stringify('x'.repeat(4_000));
  const [one, two, three] = specs(3).map((job) => ({ ...job, input })) as [JobSpec, JobSpec, JobSpec];
  const [first, second, third] = await Promise.allSettled([
    store.enqueue([spec()]),
    store.enqueue([one, two, three]),
    store.enqueue([one, two]),
  ]);
  assert.deepEqual([first?.status, third?.status], ['fulfilled', 'fulfilled']);
  assert.ok(second?.status === 'rejected' && second.reason instanceof LongshoreError);
  assert.deepEqual([second.reason.code, second.reason.retryable], ['PAYLOAD_TOO_LARGE', false]);
  assert.match(second.reason.message, /^enqueue takes 12\d+ characters.* takes at most 10000 in one call/);
  assert.equal((await store.list({ limit: 10 })).jobs.length, 3);
});
