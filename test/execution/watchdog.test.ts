import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./programs/looping.ts', import.meta.url));

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`processes that loop for ever end with a worker that ends by ${signal}`, {
    timeout: 60_000,
  }, async (t) => {
    const { worker, pids } = await start(t);
    assert.deepEqual(await Promise.all(pids.map(isRunning)), [true, true]);
    worker.kill(signal);
    await once(worker, 'exit');
    // Nobody is told of their end, so there is nothing to wait for but that.
    while ((await Promise.all(pids.map(isRunning))).includes(true)) await delay(20);
  });
}

async function start(t: TestContext): Promise<{ worker: ChildProcess; pids: number[] }> {
  const worker = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pids: number[] = [];
  t.after(() => {
    worker.kill('SIGKILL');
    for (const pid of pids) if (isThere(pid)) process.kill(pid, 'SIGKILL');
  });
  for await (const [line] of on(createInterface(worker.stdout as Readable), 'line')) {
    pids.push(Number(line));
    if (pids.length === 2) break;
  }
  return { worker, pids };
}

/** One that has ended may still be listed, where nobody collects it. */
async function isRunning(pid: number): Promise<boolean> {
  if (!isThere(pid)) return false;
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('ps', ['-o', 'stat=', '-p', String(pid)], (_, stdout) => resolve(stdout.trim()));
  const state = await promise;
  return state !== '' && !state.startsWith('Z');
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
