import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Meter, type MeteredLoop } from '../../src/execution/meter.ts';

/** An event loop whose time is moved by hand. Its timers fire when it is let go, late where it was held. */
class HandLoop implements MeteredLoop {
  #now = 1_000;
  #active = 500;
  #timer: { readonly everyMs: number; readonly look: () => void; dueAt: number } | null = null;

  now(): number {
    return this.#now;
  }

  activeMs(): number {
    return this.#active;
  }

  every(everyMs: number, look: () => void): () => void {
    this.#timer = { everyMs, look, dueAt: this.#now + everyMs };
    return () => {
      this.#timer = null;
    };
  }

  /** A job holds it at a stretch. */
  hold(ms: number): void {
    this.#now += ms;
    this.#active += ms;
    this.#fire();
  }

  /** It waits for events, and looks at its timers on time. */
  idle(ms: number): void {
    const end = this.#now + ms;
    while (this.#timer !== null && this.#timer.dueAt <= end) {
      this.#now = this.#timer.dueAt;
      this.#fire();
    }
    this.#now = end;
  }

  /** Its process waits and gets no core, so that nothing happens on time. */
  starve(ms: number): void {
    this.#now += ms;
    this.#fire();
  }

  #fire(): void {
    const timer = this.#timer;
    if (timer === null || timer.dueAt > this.#now) return;
    timer.look();
    timer.dueAt = this.#now + timer.everyMs;
  }
}

test('the time that a job holds the loop at a stretch is told from all the time that it takes', () => {
  const loop = new HandLoop();
  const meter = new Meter(null, loop);
  const inPieces = meter.start();
  for (let piece = 0; piece < 60; piece += 1) {
    loop.hold(5);
    loop.idle(1);
  }
  assert.deepEqual(inPieces.stop(), { busyMs: 300, wallMs: 360, heldMs: 4 });

  const atOnce = meter.start();
  loop.hold(300);
  assert.deepEqual(atOnce.stop(), { busyMs: 300, wallMs: 300, heldMs: 280 });
});

test('a stretch amid a job is noticed', () => {
  const loop = new HandLoop();
  const reading = new Meter(null, loop).start();
  loop.idle(30);
  loop.hold(120);
  loop.idle(50);
  assert.deepEqual(reading.stop(), { busyMs: 120, wallMs: 200, heldMs: 110 });
});

test('a job that waits holds nothing where its process does not get a core', () => {
  const loop = new HandLoop();
  const reading = new Meter(null, loop).start();
  loop.hold(3);
  loop.starve(400);
  loop.idle(10);
  assert.deepEqual(reading.stop(), { busyMs: 3, wallMs: 413, heldMs: 3 });
});

test('the loop of this thread is measured', async () => {
  // The loop counts what it does from its first turn on.
  await turn();
  const reading = new Meter(null).start();
  const until = performance.now() + 50;
  while (performance.now() < until);
  const { busyMs, wallMs, heldMs } = reading.stop();
  assert.ok(heldMs > 0 && heldMs <= busyMs && wallMs >= 50, `${heldMs}, ${busyMs}, ${wallMs}`);
});
