import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recorded, recordedArguments } from '../../bench/src/result.ts';

test('a password of a server is not recorded with the settings, nor anything else changed', () => {
  const urlOf = (url: string): string => recorded({ jobs: 1, url }).url;
  assert.equal(
    urlOf('postgres://me:se%40cret@db:5432/app?schema=x'),
    'postgres://me:***@db:5432/app?schema=x',
  );
  assert.equal(urlOf('redis://:secret@127.0.0.1:6379/1'), 'redis://:***@127.0.0.1:6379/1');
  assert.equal(urlOf('postgres://db/app?user=me&password=secret'), 'postgres://db/app?user=me&password=***');
  assert.equal(urlOf('postgres://me:sec ret@one:1,two:2/app'), '(not shown)');
  assert.equal(urlOf('redis://127.0.0.1:6379'), 'redis://127.0.0.1:6379');
  assert.deepEqual(recorded({ jobs: 1 }), { jobs: 1 });
});

test('a password in the arguments is not recorded, however the URL is given', () => {
  const recordedOf = (...given: string[]): string[] => recordedArguments(['node', 'main.ts', ...given]);
  const url = 'postgres://me:secret@db/app';
  const shown = 'postgres://me:***@db/app';
  assert.deepEqual(recordedOf('s1', '--url', url, '--short'), ['s1', '--url', shown, '--short']);
  assert.deepEqual(recordedOf('s1', `--url=${url}`), ['s1', `--url=${shown}`]);
  assert.deepEqual(recordedOf('task', '--store=rediss://:secret@[::1'), ['task', '--store=(not shown)']);
  assert.deepEqual(recordedOf('bench', 's1', '--only', 'store=redis'), ['s1', '--only', 'store=redis']);
});
