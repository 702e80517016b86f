import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicMs, type PacerClock, pace } from '../../bench/src/pacer.ts';

/** Time that moves only by timers and by what the sender takes. */
class HandClock implements PacerClock {
  #now = 1_000;
  readonly waits: number[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): void {
    this.waits.push(delayMs);
    setImmediate(() => {
      this.#now += delayMs;
      callback();
    });
  }

  spend(ms: number): void {
    this.#now += ms;
  }
}

test('jobs are sent at the intended times of the rate', async () => {
  const clock = new HandClock();
  const sent: [number, number][] = [];
  await pace({ rate: 200, count: 4, clock, send: (n, intended) => sent.push([n, intended - 1_010]) });
  assert.deepEqual(sent, [
    [0, 0],
    [1, 5],
    [2, 10],
    [3, 15],
  ]);
});

test('a sender that is late does not move the intended times of the jobs after', async () => {
  const clock = new HandClock();
  const intended: number[] = [];
  const late: number[] = [];
  await pace({
    rate: 100,
    count: 6,
    clock,
    send: (n, at) => {
      intended.push(at - 1_010);
      late.push(clock.now() - at);
      if (n === 1) clock.spend(35);
    },
  });
  assert.deepEqual(intended, [0, 10, 20, 30, 40, 50]);
  assert.deepEqual(late, [0, 0, 25, 15, 5, 0], 'the stall of 35 ms is charged to the jobs it delayed');
});

test('a timer that fires early sends nothing before its time', async () => {
  const clock = new HandClock();
  const early: PacerClock = {
    now: () => clock.now(),
    after: (delayMs, callback) => clock.after(Math.min(delayMs, 3), callback),
  };
  const late: number[] = [];
  await pace({ rate: 50, count: 3, clock: early, send: (_n, at) => late.push(clock.now() - at) });
  assert.deepEqual(late, [0, 0, 0]);
});

test('what the sender throws ends the pacing', async () => {
  const fault = new Error('no connection');
  const paced = pace({
    rate: 1_000,
    count: 3,
    clock: new HandClock(),
    send: () => {
      throw fault;
    },
  });
  await assert.rejects(paced, fault);
});

test('an answer that fails while others are still to be sent ends the pacing, after all are sent', async () => {
  const sent: number[] = [];
  const paced = pace({
    rate: 100,
    count: 3,
    clock: new HandClock(),
    send: async (n) => {
      sent.push(n);
      if (n === 0) throw new Error('refused');
    },
  });
  await assert.rejects(paced, /^Error: refused$/);
  assert.deepEqual(sent, [0, 1, 2]);
});

test('the monotonic clock moves forward in steps below a millisecond', () => {
  const times = Array.from({ length: 100 }, monotonicMs);
  assert.ok(times.every((time, index) => index === 0 || time >= (times[index - 1] as number)));
  assert.ok(times.some((time) => !Number.isInteger(time)));
});
