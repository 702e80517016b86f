import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBus } from '../../src/telemetry/events.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { Leader } from '../../src/worker/leader.ts';

test('after an outage the beats of living workers come before the first reaping', async (t) => {
  const clock = new FakeClock();
  let away = false;
  const reaped: number[] = [];
  const lock = {
    acquire: () => (away ? Promise.reject(new Error('no space left')) : Promise.resolve(true)),
    release: () => Promise.resolve(),
  };
  const reap = { name: 'reap', run: () => Promise.resolve(reaped.push(clock.now()) && 100) };
  const leader = new Leader({
    store: { lock } as never,
    clock,
    events: new EventBus(),
    workerId: 'w',
    leaseMs: 3_000,
    duties: [reap],
  });
  await leader.start();
  t.after(() => leader.stop());
  await clock.advance(0);
  assert.equal(reaped.length, 1, 'a leader that was never cut off reaps at once');

  away = true;
  await clock.advance(5_000);
  assert.equal(leader.leading, false);
  const before = reaped.length;
  away = false;
  await clock.advance(500);
  assert.equal(leader.leading, true);
  // Every lease ran out meanwhile; workers beat every third of a lease, 1 s.
  await clock.advance(1_000);
  assert.equal(reaped.length, before);
  await clock.advance(600);
  assert.ok(reaped.length > before);
});
