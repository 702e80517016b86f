import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Place } from './place.ts';

const PROGRAM = new URL('./programs/leave.ts', import.meta.url).pathname;

test('a program ends by itself with the store open, after what it awaited, and without a warning', async (t) => {
  const place = await Place.make(t);
  const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM, place.url], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.deepEqual({ stdout, stderr, status }, { stdout: 'created\nlistening\n', stderr: '', status: 0 });
  const { jobs } = await (await place.store()).list({ limit: 10 });
  assert.equal(jobs.length, 1);
});

test('a program that awaits close() gets past it', async (t) => {
  const place = await Place.make(t);
  const { stdout, status } = spawnSync(process.execPath, [PROGRAM, place.url, 'close'], { encoding: 'utf8' });
  assert.deepEqual({ stdout, status }, { stdout: 'created\nlistening\nclosed\n', status: 0 });
});
