import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JobState } from '../../../src/core/job-state.ts';
import type { JobSpec, Lease, Settlement, Store } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, ordered, spec } from '../../../src/testing/store-conformance/trial.ts';
import { ownServer } from './server.ts';

/** Plain jobs, which claims and settlements handle together, with all others among them. */
function mixed(jobs: number): JobSpec[] {
  return Array.from({ length: jobs }, (_, index) =>
    spec({
      input: index % 3 === 0 ? null : JSON.stringify({ index, text: 'x'.repeat(index % 50) }),
      attemptsMax: index % 17 === 0 ? 300 : 3,
      priority: index % 29 === 0 ? 1 : 0,
      key: index % 41 === 0 ? `key ${index}` : null,
      task: index % 2 === 0 ? 'even' : 'odd',
    }),
  );
}

async function openStore(t: TestContext): Promise<Store> {
  return (await ownServer(t)).open();
}

async function claimAll(store: Store, limit: number): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (;;) {
    const claimed = await store.claim(claimRequest({ limit }));
    if (claimed.leases.length === 0) return leases;
    leases.push(...claimed.leases);
  }
}

async function listed(store: Store, state: JobState): Promise<string[]> {
  const { jobs } = await store.list({ states: [state], limit: 5_000 });
  return ids(jobs).sort();
}

const completions = (leases: readonly Lease[], result: string | null = null): Settlement[] =>
  leases.map(({ id, token }) => ({ id, token, outcome: completed(result) }));

test('jobs of all kinds in one claim are each leased once, as they were enqueued', async (t) => {
  const store = await openStore(t);
  const specs = mixed(1_500);
  await store.enqueue(specs);
  const leases = new Map((await claimAll(store, 400)).map((lease) => [lease.id, lease]));
  assert.equal(leases.size, 1_500);
  for (const { id, input, attemptsMax, priority, key, task } of specs) {
    const lease = leases.get(id);
    assert.deepEqual(
      { ...lease },
      { ...lease, id, input, attemptsMax, priority, key, task, attempt: 1, crashes: 0 },
    );
  }
  assert.deepEqual(await listed(store, 'running'), ids(specs).sort());
  assert.deepEqual(await listed(store, 'ready'), []);
  const [job] = await store.get(ids(specs.slice(1, 2)));
  assert.deepEqual([job?.state, job?.input, job?.attempt], ['running', specs[1]?.input, 1]);
});

test('jobs of all kinds are completed once each, however often their outcomes come', async (t) => {
  const store = await openStore(t);
  const specs = mixed(1_500);
  await store.enqueue(specs);
  const leases = await claimAll(store, 400);
  const settlements = completions(leases, '"done"');
  const receipts = await store.settle([...settlements, ...settlements.toReversed()]);
  const settled = { status: 'settled', state: 'completed' } as const;
  assert.deepEqual(
    receipts,
    [...settlements, ...settlements].map((_, index) => (index < 1_500 ? settled : { status: 'lost' })),
  );
  assert.deepEqual(await listed(store, 'completed'), ids(specs).sort());
  assert.deepEqual(await listed(store, 'running'), []);
  const [queue] = await store.queues();
  assert.deepEqual([queue?.counts.completed, queue?.counts.running], [1_500, 0]);
  const jobs = await store.get(ids(specs));
  for (const [index, job] of jobs.entries())
    assert.deepEqual([job?.input, job?.result], [specs[index]?.input, '"done"']);
});

test('what is not kept goes once each, however often its outcome comes', async (t) => {
  const store = await openStore(t);
  await store.configureQueue('q', { retention: { completed: { ageMs: 0, count: 0 } } });
  await store.enqueue(mixed(700));
  const settlements = completions(await claimAll(store, 300));
  const receipts = await store.settle([...settlements, ...settlements]);
  assert.equal(receipts.filter(({ status }) => status === 'settled').length, 700);
  const [queue] = await store.queues();
  assert.deepEqual([queue?.counts.completed, queue?.counts.running], [0, 0]);
  assert.deepEqual((await store.list({ limit: 10 })).jobs, []);
});

test('a job that was removed and came again with its id, and so stands twice in the line, is leased once', async (t) => {
  const store = await openStore(t);
  const specs = Array.from({ length: 600 }, () => spec());
  await store.enqueue(specs);
  const again = specs.filter((_, index) => index % 100 === 0);
  await store.control(again.map(({ id }) => ordered({ type: 'remove', id })));
  await store.enqueue(again);
  const leases = await claimAll(store, 1_000);
  assert.deepEqual(ids(leases).sort(), ids(specs).sort());
  assert.deepEqual(await listed(store, 'running'), ids(specs).sort());
  const [queue] = await store.queues();
  assert.deepEqual([queue?.counts.ready, queue?.counts.running], [0, 600]);
  const receipts = await store.settle(completions(leases));
  assert.ok(receipts.every(({ status }) => status === 'settled'));
});
