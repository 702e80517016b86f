import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { testArguments } from '../../setup/test-arguments.mjs';

function root(t: TestContext, files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-arguments-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

const FILES = ['test/a.test.ts', 'test/core/b.test.ts', 'test/core/fixture.ts', 'src/c.test.ts'];

/** What follows the flags that every run has. */
function chosen(args: readonly string[], folder: string): string[] {
  const all = testArguments([...args], folder);
  return all.slice(all.findIndex((arg) => arg.startsWith('--test-timeout')) + 1);
}

test('without paths every test file under test/ runs, and no other file', (t) => {
  assert.deepEqual(chosen([], root(t, FILES)), ['test/a.test.ts', 'test/core/b.test.ts']);
});

test('a folder stands for its test files, a file for itself, both for one', (t) => {
  const folder = root(t, FILES);
  assert.deepEqual(chosen(['test/core'], folder), ['test/core/b.test.ts']);
  assert.deepEqual(chosen(['test/core', 'test/core/b.test.ts'], folder), ['test/core/b.test.ts']);
});

test("flags and their values go to Node's runner", (t) => {
  const folder = root(t, FILES);
  assert.deepEqual(chosen(['--test-name-pattern', 'retry', 'test/core'], folder), [
    '--test-name-pattern',
    'retry',
    'test/core/b.test.ts',
  ]);
  assert.deepEqual(chosen(['--test-only', '--test-name-pattern=x y'], folder).slice(0, 2), [
    '--test-only',
    '--test-name-pattern=x y',
  ]);
});

test('a path that is not there is an error, and so is a run without any test file', (t) => {
  assert.throws(() => testArguments(['test/croe'], root(t, FILES)), /there is no test\/croe/);
  assert.throws(() => testArguments([], root(t, ['src/c.test.ts'])), /no \*\.test\.ts file in test/);
  assert.throws(() => testArguments(['src'], root(t, ['src/c.ts'])), /no \*\.test\.ts file in src/);
});

test('every run has a time limit and prints the readable report', (t) => {
  const args = testArguments([], root(t, FILES));
  assert.ok(args.includes('--test'));
  assert.ok(args.includes('--test-reporter=spec'));
  assert.ok(args.some((arg) => /^--test-timeout=\d+$/.test(arg)));
});
