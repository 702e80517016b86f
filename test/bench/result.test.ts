import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recorded } from '../../bench/src/result.ts';

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
