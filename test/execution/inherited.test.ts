import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inherited } from '../../src/execution/inherited.ts';

test('processes of handlers get the flags of Node that count for handlers, with their values', () => {
  const given = ['--import', './loader.js', '--conditions=development', '--max-http-header-size', '1000'];
  assert.deepEqual(inherited(given), given);
});

test('flags for one process go, and their values with them', () => {
  const own = [
    '--inspect-brk=9229',
    '--test-name-pattern',
    'some name',
    '--watch',
    '--cpu-prof-dir',
    'profiles',
  ];
  assert.deepEqual(inherited(['--enable-source-maps', ...own, '-C', 'development']), [
    '--enable-source-maps',
    '-C',
    'development',
  ]);
});
