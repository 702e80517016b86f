import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { lockFile, packagesAreCurrent, writeStamp } from '../../setup/stamp.mjs';

function root(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-stamp-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'package-lock.json'), '{ "lockfileVersion": 3 }');
  return folder;
}

test('without node_modules, and without a stamp in it, the packages are not current', (t) => {
  const folder = root(t);
  assert.equal(packagesAreCurrent(folder), false);
  mkdirSync(join(folder, 'node_modules'));
  assert.equal(packagesAreCurrent(folder), false);
});

test('the packages are current until the lock file changes', (t) => {
  const folder = root(t);
  mkdirSync(join(folder, 'node_modules'));
  writeStamp(folder, lockFile(folder));
  assert.equal(packagesAreCurrent(folder), true);
  writeFileSync(join(folder, 'package-lock.json'), '{ "lockfileVersion": 3, "packages": {} }');
  assert.equal(packagesAreCurrent(folder), false);
});

test('a lock file that changes while its packages are installed is not taken for installed', (t) => {
  const folder = root(t);
  const before = lockFile(folder);
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  writeStamp(folder, before);
  assert.equal(packagesAreCurrent(folder), false);
});
