import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../src/testing/index.ts';

test('time stands still until it is moved', async () => {
  const clock = new FakeClock(1_000);
  assert.equal(clock.now(), 1_000);
  await clock.advance(250);
  assert.equal(clock.now(), 1_250);
});

test('timers fire in order, each at its time, also those that were set on the way', async () => {
  const clock = new FakeClock(0);
  const fired: [string, number][] = [];
  const note = (name: string) => () => fired.push([name, clock.now()]);
  clock.after(30, note('third'));
  clock.after(10, note('first'));
  clock.after(10, note('second'));
  clock.after(15, () => clock.after(5, note('on the way')));
  clock.after(31, note('too late'));
  await clock.advance(30);
  assert.deepEqual(fired, [
    ['first', 10],
    ['second', 10],
    ['on the way', 20],
    ['third', 30],
  ]);
  assert.equal(clock.pending, 1);
});

test('promises run between two timers', async () => {
  const clock = new FakeClock(0);
  const order: string[] = [];
  clock.after(1, () => {
    Promise.resolve()
      .then(() => {})
      .then(() => order.push('promise'));
  });
  clock.after(1, () => order.push('timer'));
  await clock.advance(1);
  assert.deepEqual(order, ['promise', 'timer']);
});

test('a cancelled timer does not fire', async () => {
  const clock = new FakeClock(0);
  const cancel = clock.after(5, () => assert.fail('fired'));
  cancel();
  cancel();
  await clock.advance(10);
  assert.equal(clock.pending, 0);
});

test('a delay of 0 or less fires at the next move, not before', async () => {
  const clock = new FakeClock(0);
  let fired = 0;
  clock.after(0, () => (fired += 1));
  clock.after(-5, () => (fired += 1));
  assert.equal(fired, 0);
  await clock.advance(0);
  assert.deepEqual([fired, clock.now()], [2, 0]);
});

test('setting the wall time moves no timer', async () => {
  const clock = new FakeClock(1_000_000);
  let fired = false;
  clock.after(100, () => (fired = true));
  clock.setTime(5);
  assert.deepEqual([clock.now(), fired], [5, false]);
  clock.setTime(9_000_000);
  await clock.advance(99);
  assert.equal(fired, false);
  await clock.advance(1);
  assert.deepEqual([fired, clock.now()], [true, 9_000_100]);
});
