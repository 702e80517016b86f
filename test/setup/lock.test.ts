import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { breakIfStale, release, tryLock, withLock } from '../../setup/lock.mjs';

function root(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The id of a process that has ended. */
function deadPid(): number {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return pid;
}

test('only one owner gets the lock, and a refused attempt leaves nothing behind', (t) => {
  const folder = root(t);
  const lock = join(folder, '.setup-lock');
  assert.equal(tryLock(lock), true);
  assert.equal(tryLock(lock), false);
  assert.deepEqual(readdirSync(folder), ['.setup-lock']);
  release(lock, process.pid);
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(tryLock(lock), true);
});

test('the lock of a living process is respected, that of a dead one is broken', (t) => {
  const lock = join(root(t), '.setup-lock');
  tryLock(lock, process.pid);
  assert.equal(breakIfStale(lock), process.pid);
  assert.equal(tryLock(lock), false);
  release(lock, process.pid);

  tryLock(lock, deadPid());
  assert.equal(breakIfStale(lock), undefined);
  assert.equal(tryLock(lock), true);
});

test('a late breaker of a dead lock does not take it from the next owner', (t) => {
  const lock = join(root(t), '.setup-lock');
  const dead = deadPid();
  tryLock(lock, dead);
  breakIfStale(lock);
  tryLock(lock);
  release(lock, dead);
  assert.equal(breakIfStale(lock), process.pid);
});

test('an empty lock folder, which a killed breaker leaves, does not block', (t) => {
  const lock = join(root(t), '.setup-lock');
  mkdirSync(lock);
  assert.equal(breakIfStale(lock), undefined);
  assert.equal(tryLock(lock), true);
});

test('the lock is given back when the work throws, and the error is not changed', async (t) => {
  const folder = root(t);
  const error = new Error('no network');
  await assert.rejects(
    withLock(folder, () => Promise.reject(error)),
    error,
  );
  assert.equal(existsSync(join(folder, '.setup-lock')), false);
});

test('several processes that start on a dead lock work one after the other', async (t) => {
  const folder = root(t);
  tryLock(join(folder, '.setup-lock'), deadPid());
  const program = `
    import { appendFileSync } from 'node:fs';
    import { withLock } from ${JSON.stringify(new URL('../../setup/lock.mjs', import.meta.url).href)};
    await withLock('.', async () => {
      appendFileSync('log', 'in ');
      await new Promise(setImmediate);
      appendFileSync('log', 'out ');
    });`;
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, stdio: 'ignore' }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]));
  assert.deepEqual(codes, [0, 0, 0, 0, 0, 0]);
  assert.equal(readFileSync(join(folder, 'log'), 'utf8'), 'in out '.repeat(6));
});
