import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Place } from './place.ts';
import { request, spec } from './specs.ts';

test('the death of the store thread rejects what is pending and all that follows', async (t) => {
  const place = await Place.make(t);
  const store = await place.store({ hooks: 'crash' });
  await store.enqueue([spec()]);
  const pending = [store.enqueue([spec({ queue: 'thread-before-commit' })]), store.get(['any'])];
  for (const call of await Promise.allSettled(pending))
    assert.equal(call.status === 'rejected' && call.reason.code, 'STORE_FAILED');
  await assert.rejects(store.queues(), { code: 'STORE_FAILED', message: /open the store again/ });
  await store.close();
  const again = await place.store();
  assert.deepEqual(
    (await again.list({ limit: 10 })).jobs.map(({ queue }) => queue),
    ['q'],
  );
});

test('a process killed before the commit leaves nothing of the batch', async (t) => {
  const place = await Place.make(t);
  assert.equal(killed(place, 'process-before-commit'), 'acknowledged first\n');
  const { jobs } = await (await place.store()).list({ limit: 10 });
  assert.deepEqual(
    jobs.map(({ queue }) => queue),
    ['first'],
  );
});

test('a process killed after the commit leaves all of the batch, acknowledged or not', async (t) => {
  const place = await Place.make(t);
  assert.equal(killed(place, 'process-after-commit'), 'acknowledged first\n');
  const store = await place.store();
  const { jobs } = await store.list({ limit: 10 });
  assert.deepEqual(
    jobs.map(({ queue }) => queue),
    ['process-after-commit', 'process-after-commit', 'first'],
  );
  assert.equal((await store.claim(request({ queues: ['process-after-commit'] }))).leases.length, 2);
});

function killed(place: Place, point: string): string {
  const program = new URL('./programs/enqueue-twice.ts', import.meta.url).pathname;
  const { stdout, signal } = spawnSync(process.execPath, [program, place.url, point], { encoding: 'utf8' });
  assert.equal(signal, 'SIGKILL');
  return stdout;
}
