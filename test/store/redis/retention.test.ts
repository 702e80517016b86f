import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Keep, Store } from '../../../src/store/store.ts';
import {
  attemptError,
  claimRequest,
  completed,
  ids,
  only,
  spec,
  T0,
} from '../../../src/testing/store-conformance/trial.ts';
import { ownServer } from './server.ts';

/** Makes a job of queue `q` fail at `now`; its id. */
async function failAt(store: Store, now: number): Promise<string> {
  const one = spec();
  await store.enqueue([one], { now });
  await failNext(store, now);
  return one.id;
}

async function failNext(store: Store, now: number): Promise<void> {
  const { id, token } = only((await store.claim(claimRequest({ now }))).leases);
  await store.settle([{ id, token, outcome: { type: 'failed', error: attemptError() } }], { now });
}

async function left(store: Store): Promise<string[]> {
  return ids((await store.list({ limit: 100 })).jobs).reverse();
}

function keep(store: Store, failed: Keep): Promise<unknown> {
  return store.configureQueue('q', { retention: { failed } });
}

test('a job that failed, was redriven and failed again counts as of its last end', async (t) => {
  const store = await (await ownServer(t)).open();
  const [first, second, third] = [
    await failAt(store, T0),
    await failAt(store, T0 + 1),
    await failAt(store, T0 + 2),
  ];
  for (const now of [T0 + 3, T0 + 4]) {
    await store.control([{ type: 'redrive', id: first, by: 'ada', why: null }], { now });
    await failNext(store, now);
  }
  await keep(store, { ageMs: null, count: 2 });
  assert.equal((await store.prune({ now: T0 + 5 })).jobs, 1);
  assert.deepEqual(await left(store), [first, third]);
  await keep(store, { ageMs: null, count: 1 });
  await store.prune({ now: T0 + 5 });
  assert.deepEqual(await left(store), [first]);
  assert.notEqual(second, third);
});

test('ends told by a clock that stands behind are pruned by their time', async (t) => {
  const store = await (await ownServer(t)).open();
  const times = [10, 5, 20, 1, 15];
  const jobs: string[] = [];
  for (const time of times) jobs.push(await failAt(store, T0 + time));
  const byTime = [3, 1, 0, 4, 2].map((index) => jobs[index] as string);
  for (let count = 4; count > 0; count -= 1) {
    await keep(store, { ageMs: null, count });
    assert.equal((await store.prune({ now: T0 + 30 })).jobs, 1);
    assert.deepEqual((await left(store)).sort(), byTime.slice(-count).sort());
  }
});

test('a bound of 0 bytes deletes a job as it ends', async (t) => {
  const store = await (await ownServer(t)).open();
  await keep(store, { ageMs: null, count: null, bytes: 0 });
  await failAt(store, T0);
  assert.deepEqual(await left(store), []);
});

test('a resolved job is one of the completed, and of the failed no more', async (t) => {
  const store = await (await ownServer(t)).open();
  const [resolved, failed] = [await failAt(store, T0), await failAt(store, T0 + 1)];
  await store.control([{ type: 'resolve', id: resolved, by: 'ada', why: null, result: null }], {
    now: T0 + 2,
  });
  await keep(store, { ageMs: 0, count: null });
  assert.equal((await store.prune({ now: T0 + 3 })).jobs, 1);
  assert.deepEqual(await left(store), [resolved]);
  assert.notEqual(failed, resolved);
});

test('a queue that was emptied leaves nothing but its name and its settings behind', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  const specs = Array.from({ length: 3_000 }, (_, index) =>
    spec({
      priority: index % 3,
      key: index % 5 === 0 ? `key-${index % 7}` : null,
      delayMs: index % 11 === 0 ? 60_000 : 0,
      unique: index % 13 === 0 ? { key: `unique-${index}`, mode: 'existing', periodMs: 0 } : null,
    }),
  );
  await store.enqueue(specs);
  const { leases } = await store.claim(claimRequest({ limit: 900 }));
  await store.annotate(
    leases
      .slice(0, 9)
      .map(({ id, token }) => ({ id, token, logs: [{ at: 1, attempt: 1, message: 'm', data: null }] })),
  );
  await store.settle(leases.slice(0, 600).map(({ id, token }) => ({ id, token, outcome: completed() })));
  assert.equal(await store.clear('q', ['completed', 'running']), 900);
  assert.equal(await store.clear('q', ['ready', 'scheduled']), 2_100);
  assert.deepEqual(
    await store.claim(claimRequest()).then((claim) => [claim.leases.length, claim.nextDueAt]),
    [0, null],
  );
  const keys = (await server.send('KEYS', '*')) as string[];
  assert.deepEqual(keys.map((key) => key.replace('{longshore}:', '')).sort(), [
    'batch',
    'meta',
    'queueNames',
    'queues',
    'seq',
    'taskNames',
    'tasks',
  ]);
});

test('what ended in a queue that keeps nothing leaves nothing behind but its settings', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  await store.configureQueue('q', { retention: { completed: { ageMs: 0, count: 0 } } });
  const special = [
    spec({ key: 'k' }),
    spec({ unique: { key: 'u', mode: 'existing', periodMs: 0 } }),
    spec({ priority: 7, attemptsMax: 9 }),
  ];
  const specs = [...special, ...Array.from({ length: 2_997 }, () => spec())];
  await store.enqueue(specs);
  const { leases } = await store.claim(claimRequest({ limit: 3_000 }));
  const logs = [{ at: 1, attempt: 1, message: 'm', data: null }];
  await store.annotate(leases.slice(100, 103).map(({ id, token }) => ({ id, token, logs })));
  for (let from = 0; from < leases.length; from += 600) {
    const receipts = await store.settle(
      leases.slice(from, from + 600).map(({ id, token }) => ({ id, token, outcome: completed('1') })),
    );
    assert.ok(receipts.every((receipt) => receipt.status === 'settled' && receipt.state === 'completed'));
    const { counts } = only(await store.queues());
    assert.deepEqual([counts.running, counts.completed], [leases.length - receipts.length - from, 0]);
  }
  assert.deepEqual(await store.list({ limit: 10 }), { jobs: [], cursor: null });
  await store.prune();
  await store.claim(claimRequest());
  const keys = (await server.send('KEYS', '*')) as string[];
  assert.deepEqual(keys.map((key) => key.replace('{longshore}:', '')).sort(), [
    'batch',
    'meta',
    'queueNames',
    'queues',
    'seq',
    'settings',
    'taskNames',
    'tasks',
  ]);
});

test('pruning frees unique keys whose period is over, and starts that left the window of a rate', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  await store.configureQueue('q', { limits: { perKey: { rate: { count: 5, perMs: 1_000 } } } }, { now: T0 });
  const one = spec({ key: 'k', unique: { key: 'u', mode: 'existing', periodMs: 5_000 } });
  const living = spec({ delayMs: 1e9, unique: { key: 'living', mode: 'existing', periodMs: 0 } });
  await store.enqueue([one, living], { now: T0 });
  const { token } = only((await store.claim(claimRequest({ now: T0 }))).leases);
  await store.settle([{ id: one.id, token, outcome: completed() }], { now: T0 });
  await store.prune({ now: T0 + 900 });
  assert.deepEqual(await server.send('HLEN', '{longshore}:unique'), 2);
  assert.equal(((await server.send('KEYS', '*starts:*')) as string[]).length, 1);
  await store.prune({ now: T0 + 5_000 });
  assert.deepEqual(await server.send('HKEYS', '{longshore}:unique'), ['living']);
  assert.deepEqual(await server.send('KEYS', '*starts:*'), []);
});
