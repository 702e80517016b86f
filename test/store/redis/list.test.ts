import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { JobFilter, Store } from '../../../src/store/store.ts';
import {
  claimRequest,
  completed,
  failed,
  ids,
  ordered,
  spec,
  T0,
} from '../../../src/testing/store-conformance/trial.ts';
import { ownServer } from './server.ts';

/** All pages of a filter, and how many there were. */
async function pages(store: Store, filter: Omit<JobFilter, 'limit'>, limit: number): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.list({ ...filter, limit, ...(cursor === null ? {} : { cursor }) });
    assert.ok(page.jobs.length === limit || page.cursor === null, 'pages are full but for the last');
    found.push(...ids(page.jobs));
    cursor = page.cursor;
  } while (cursor !== null);
  return found;
}

test('pages of thousands of jobs hold each once, whether they are found by their age or by their end', async (t) => {
  const store = await (await ownServer(t)).open();
  const queueOf = (index: number) => (index % 10 === 0 ? 'few' : 'many');
  const stateOf = (index: number) => (index % 3 === 0 ? 'completed' : 'failed');
  const specs = Array.from({ length: 4_000 }, (_, index) => spec({ queue: queueOf(index) }));
  await store.enqueue(specs);
  const { leases } = await store.claim(claimRequest({ queues: ['many', 'few'], limit: 4_000 }));
  const indexOf = new Map(specs.map(({ id }, index) => [id, index]));
  const outcomeOf = (id: string): Outcome =>
    stateOf(indexOf.get(id) ?? 0) === 'failed' ? failed() : completed();
  await store.settle(leases.map(({ id, token }) => ({ id, token, outcome: outcomeOf(id) })));
  await store.enqueue([spec({ queue: 'other' })]);

  const wanted = (matches: (index: number) => boolean) =>
    ids(specs.filter((_, index) => matches(index))).reverse();
  const isFailed = (index: number) => stateOf(index) === 'failed';
  const isFew = (index: number) => queueOf(index) === 'few';
  for (const limit of [90, 1_024, 5_000]) {
    assert.deepEqual(await pages(store, { states: ['failed'] }, limit), wanted(isFailed));
    const fewFailed = await pages(store, { states: ['failed'], queue: 'few' }, limit);
    assert.deepEqual(
      fewFailed,
      wanted((index) => isFew(index) && isFailed(index)),
    );
    assert.deepEqual(await pages(store, { queue: 'few' }, limit), wanted(isFew));
  }
  const all = await pages(store, {}, 700);
  assert.deepEqual([all.length, new Set(all).size, all.slice(1)], [4_001, 4_001, wanted(() => true)]);
});

test('a job that was removed and came again hides no other from pages and sweeps', async (t) => {
  const store = await (await ownServer(t)).open();
  const specs = Array.from({ length: 40 }, () => spec({ priority: 1 }));
  const again = specs[20] ?? assert.fail();
  await store.enqueue(specs, { now: T0 });
  await store.control([ordered({ type: 'remove', id: again.id })]);
  await store.enqueue([again], { now: T0 });
  const line = [...specs.filter((one) => one !== again), again];
  assert.deepEqual(await pages(store, {}, 5), ids(line).reverse());

  await store.configureQueue('q', { ageing: { everyMs: 1_000, floor: 0 } }, { now: T0 });
  for (let step = 0; step < 8; step += 1)
    assert.equal((await store.age({ now: T0 + 1_000, limit: 5 })).aged, 5);
  assert.equal((await store.age({ now: T0 + 1_000, limit: 5 })).aged, 0);
});
