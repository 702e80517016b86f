import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cache } from '../../src/http/cache.ts';
import { FakeClock } from '../../src/testing/index.ts';

function made() {
  const clock = new FakeClock();
  return { clock, cache: new Cache<number>(clock, 1_000) };
}

test('what is kept is shared until its time is over, and then let go of though nobody asks', async () => {
  const { clock, cache } = made();
  let calls = 0;
  const make = async () => ++calls;
  assert.deepEqual([await cache.get('a', make), await cache.get('a', make)], [1, 1]);
  await clock.advance(600);
  await cache.get('b', make);
  assert.equal(cache.size, 2);
  await clock.advance(600);
  assert.equal(await cache.get('b', make), 2);
  await clock.advance(1_000);
  assert.deepEqual([cache.size, clock.pending], [0, 0]);
});

test('a failure is not kept, and one that comes late takes no newer answer along', async () => {
  const { clock, cache } = made();
  const late = Promise.withResolvers<number>();
  const first = cache.get('a', () => late.promise);
  await clock.advance(1_500);
  const second = cache.get('a', async () => 2);
  late.reject(new Error('away'));
  await assert.rejects(first, /away/);
  assert.equal(await second, 2);
  assert.equal(await cache.get('a', async () => 3), 2);
});

test('a clock that is set back makes nothing last longer', async () => {
  const { clock, cache } = made();
  await cache.get('a', async () => 1);
  clock.setTime(clock.now() - 3_600_000);
  assert.equal(await cache.get('a', async () => 2), 2);
});

test('there are never more than a hundred', async () => {
  const { cache } = made();
  for (let key = 0; key < 150; key += 1) await cache.get(String(key), async () => key);
  assert.equal(cache.size, 100);
});
