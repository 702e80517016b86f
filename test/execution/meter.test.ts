import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { Meter } from '../../src/execution/meter.ts';

test('the time that a job holds the loop at a stretch is told from all the time that it takes', async () => {
  const meter = new Meter(null);
  const inPieces = meter.start();
  for (let piece = 0; piece < 60; piece += 1) {
    hold(5);
    await turn();
  }
  const pieces = inPieces.stop();
  assert.ok(pieces.busyMs >= 300 && pieces.heldMs < 150, JSON.stringify(pieces));

  const atOnce = meter.start();
  hold(300);
  const once = atOnce.stop();
  assert.ok(once.heldMs >= 275 && once.heldMs <= once.wallMs, JSON.stringify(once));
});

test('a stretch amid a job is noticed', async () => {
  const reading = new Meter(null).start();
  await turn();
  hold(120);
  await turn();
  await turn();
  assert.ok(reading.stop().heldMs >= 95);
});

test('a job that waits holds nothing, however late its timers are', async () => {
  const reading = new Meter(null).start();
  for (let wait = 0; wait < 20; wait += 1) await delay(5);
  const { heldMs, busyMs } = reading.stop();
  assert.ok(heldMs <= busyMs, `${heldMs} of ${busyMs}`);
});

function hold(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
