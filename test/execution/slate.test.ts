import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type PoolSlate, SLATE_BYTES } from '../../src/execution/slate.ts';
import { HostFileSlate, openFileSlate } from '../../src/execution/slate-files.ts';
import { HostMemorySlate, PoolMemorySlate } from '../../src/execution/slate-memory.ts';

const HOST = new URL('./programs/slate-host.ts', import.meta.url);
const ROUNDS = 200_000;
const EARLY = 15;

const noFiles = process.platform === 'linux' ? false : 'processes get one job at a time on this system';

/** Lets jobs begin and takes back what is left, over and over, at moments that the other side knows nothing of. */
function fight(slate: PoolSlate): number {
  let takenBack = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    slate.open(EARLY);
    for (let spin = (round * 7_919) % 600; spin > 0; spin -= 1);
    takenBack += slate.takeBack();
  }
  return takenBack;
}

function assertEachOnce(begun: number, takenBack: number): void {
  assert.equal(begun + takenBack, ROUNDS * EARLY);
  // Else they never met.
  assert.ok(begun > 0 && takenBack > 0, `${begun} begun, ${takenBack} taken back`);
}

test('of three million jobs in shared memory each is begun or taken back, never both', async () => {
  const slate = new PoolMemorySlate();
  const over = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(HOST, { workerData: { memory: slate.memory, over } });
  await once(worker, 'message');
  const takenBack = fight(slate);
  Atomics.store(over, 0, 1);
  const [begun] = await once(worker, 'message');
  assertEachOnce(begun as number, takenBack);
  await worker.terminate();
});

test('of three million jobs between processes each is begun or taken back, never both', {
  skip: noFiles,
}, async (t) => {
  const slate = openFileSlate();
  assert.ok(slate);
  t.after(() => slate.close());
  const child = fork(fileURLToPath(HOST), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...slate.descriptors],
  });
  const ended = once(child, 'exit');
  await once(child, 'message');
  const takenBack = fight(slate);
  child.send('over');
  const [begun] = await once(child, 'message');
  assertEachOnce(begun as number, takenBack);
  await ended;
});

function bothSides(t: TestContext) {
  const memory = new PoolMemorySlate();
  const files = noFiles ? null : openFileSlate();
  t.after(() => files?.close());
  const sides = [
    {
      pool: memory as PoolSlate,
      host: new HostMemorySlate(memory.memory) as HostFileSlate | HostMemorySlate,
    },
  ];
  if (files !== null) sides.push({ pool: files, host: new HostFileSlate(files.descriptors) });
  return sides;
}

test('what a host writes is read once, in order, and a new batch begins with nothing', (t) => {
  for (const { pool, host } of bothSides(t)) {
    for (let batch = 0; batch < 3; batch += 1) {
      pool.open(2);
      host.open();
      assert.equal(pool.read(), '');
      assert.equal(host.write(`${batch} ü\n`), true);
      assert.equal(host.write('two\n'), true);
      assert.equal(pool.read(), `${batch} ü\ntwo\n`);
      assert.equal(pool.read(), '');
      host.write('three\n');
      assert.equal(pool.read(), 'three\n');
      assert.deepEqual([host.begin(), pool.takeBack(), host.begin(), pool.takeBack()], [true, 1, false, 0]);
    }
  }
});

test('a slate that is full takes nothing more, until the next batch', (t) => {
  for (const { pool, host } of bothSides(t)) {
    pool.open(1);
    host.open();
    const line = `${'ü'.repeat(SLATE_BYTES / 4 - 1)}\n`;
    const written = [1, 2, 3].map(() => host.write(line));
    assert.deepEqual(written, [true, true, false]);
    assert.equal(pool.read(), line + line);
    pool.open(1);
    host.open();
    assert.equal(host.write(line), true);
  }
});

test('a line that does not fit on the disk is not written, and spoils no other', {
  skip: noFiles,
}, async () => {
  const program = fileURLToPath(new URL('./programs/slate-full.ts', import.meta.url));
  // A limit of 8 blocks for each file, of 512 or 1,024 bytes: a longer line is cut off there as on a disk that is full.
  const shell = spawn('/bin/sh', ['-c', 'ulimit -f 8; exec "$0" "$1"', process.execPath, program]);
  const [said] = await Promise.all([text(shell.stdout), once(shell, 'exit')]);
  assert.deepEqual(JSON.parse(said), {
    written: [true, false, true],
    read: ['first', 'third'],
  });
});
