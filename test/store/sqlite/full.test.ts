import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Place } from './place.ts';
import { request, specs } from './specs.ts';

test('a full disk rejects the batch, writes nothing of it, and the store works again when there is space', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'full' });
  const small = await store.enqueue(specs(5));
  await assert.rejects(store.enqueue(specs(5_000)), {
    code: 'STORE_FULL',
    retryable: true,
    message: /no space left .*Nothing of the batch was written/,
  });
  const kept = await store.list({ limit: 100 });
  assert.deepEqual(kept.jobs.map(({ id }) => id).sort(), small.map(({ id }) => id).sort());
  assert.equal((await store.claim(request({ limit: 2 }))).leases.length, 2);
  await store.clear('disk', ['ready']);
  assert.equal((await store.enqueue(specs(5_000))).length, 5_000);
  assert.equal((await store.queues())[0]?.counts.ready, 5_003);
});

test('of the calls of one tick, those that fit on a full disk are written', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'full' });
  const [small, large, last] = [
    store.enqueue(specs(3)),
    store.enqueue(specs(5_000)),
    store.enqueue(specs(3)),
  ];
  await assert.rejects(large, { code: 'STORE_FULL' });
  assert.deepEqual([(await small).length, (await last).length], [3, 3]);
});
