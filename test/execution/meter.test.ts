import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Meter } from '../../src/execution/meter.ts';
import type { Usage } from '../../src/execution/protocol.ts';

test('the time that a job holds the loop at a stretch is told from all the time that it takes', async () => {
  const meter = new Meter(null);
  const inPieces = meter.start();
  for (let piece = 0; piece < 60; piece += 1) {
    hold(5);
    await turn();
  }
  const pieces = inPieces.stop();
  // Between two pieces the loop looks for events, which counts as idle.
  assert.ok(pieces.busyMs >= 270 && pieces.heldMs < 150, JSON.stringify(pieces));

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

const skip = process.platform === 'linux' ? false : 'whether a process waits is read from /proc';

test('a job that waits holds nothing where its process does not get a core', { skip }, async (t) => {
  const program = fileURLToPath(new URL('./programs/metered.ts', import.meta.url));
  const child = fork(program);
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  // It says that it is ready while it is still at work, and is to be stopped while it waits: behind a look
  // of its meter, the next of which is 20 ms off.
  const pid = child.pid as number;
  const { count } = waits(pid);
  while (!waits(pid).waiting || waits(pid).count < count + 2) await turn();
  child.kill('SIGSTOP');
  // As long as the machine is busy with something else: what is measured.
  hold(400);
  child.kill('SIGCONT');
  child.send('enough');
  const [{ heldMs, wallMs }] = (await once(child, 'message')) as [Usage];
  assert.ok(wallMs >= 400 && heldMs < 200, `${heldMs} of ${wallMs}`);
});

/** Whether the main thread of a process waits, and how often it began to. */
function waits(pid: number): { waiting: boolean; count: number } {
  const status = readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8');
  return {
    waiting: /^State:\s+S/m.test(status),
    count: Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]),
  };
}

function hold(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
