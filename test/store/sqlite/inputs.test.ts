import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Place } from './place.ts';
import { completed, request, spec } from './specs.ts';

const large = (text: string) => JSON.stringify(text.repeat(5_000));

test('inputs of any size come back as they went in, by claim and by get', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const inputs = [null, '""', large('a'), `"${'b'.repeat(998)}"`, `"${'c'.repeat(999)}"`, large('é')];
  // One by one, and as part of a batch that is inserted by many rows a statement.
  const batch = [...inputs, ...Array(30).fill('1'), ...inputs].map((input) => spec({ input }));
  await store.enqueue(batch);
  for (const input of inputs) await store.enqueue([spec({ input })]);
  const { leases } = await store.claim(request({ limit: 100 }));
  const expected = [...batch.map(({ input }) => input), ...inputs];
  assert.deepEqual(
    leases.map(({ input }) => input),
    expected,
  );
  const jobs = await store.get(leases.map(({ id }) => id));
  assert.deepEqual(
    jobs.map((job) => job?.input),
    expected,
  );
});

test('a replaced input is the new one, whatever the sizes', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const unique = { key: 'key', mode: 'replace', periodMs: 0 } as const;
  for (const input of ['1', large('a'), large('b'), '2', null, large('c')]) {
    const [receipt] = await store.enqueue([spec({ input, unique })]);
    assert.equal((await store.get([receipt?.id as string]))[0]?.input, input);
  }
  assert.deepEqual(kept(place), 1);
});

test('no input outlives its job', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.configureQueue('fleeting', { retention: { completed: { ageMs: 0, count: null } } });
  const queues = ['removed', 'cleared', 'pruned', 'fleeting'];
  const receipts = await store.enqueue(queues.map((queue) => spec({ queue, input: large(queue) })));
  assert.equal(kept(place), 4);
  const { leases } = await store.claim(request({ queues: ['pruned', 'fleeting'] }));
  await store.settle(leases.map((lease) => completed(lease)));
  assert.equal(kept(place), 3);
  await store.control([{ type: 'remove', id: receipts[0]?.id as string, by: 'me', why: null }]);
  assert.equal(kept(place), 2);
  await store.clear('cleared', ['ready']);
  await store.configureQueue('pruned', { retention: { completed: { ageMs: 0, count: null } } });
  assert.equal((await store.prune()).jobs, 1);
  assert.equal(kept(place), 0);
});

function kept(place: Place): unknown {
  const stranger = place.stranger();
  try {
    return stranger.prepare('SELECT count(*) AS inputs FROM job_input').get()?.inputs;
  } finally {
    stranger.close();
  }
}
