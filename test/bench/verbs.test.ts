import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, measured } from './bench-process.ts';

for (const store of ['memory', 'sqlite'])
  test(`verbs times each kind of job on ${store}, each job once`, async () => {
    const args = ['--store', store, '--jobs', '150', '--batch', '50', '--repeat', '1'];
    const { document } = await measured('verbs', ...args);
    assert.deepEqual(Object.keys(document.kinds), ['plain', 'delayed', 'unique', 'key']);
    for (const { enqueueMicros, finishMicros } of Object.values<Record<string, { median: number }>>(
      document.kinds,
    ))
      assert.ok((enqueueMicros?.median ?? 0) > 0 && (finishMicros?.median ?? 0) > 0);
    assert.equal(document.runs.length, 1);
    for (const { jobs, counts } of document.runs.flatMap((round: object) => Object.values(round)))
      assert.deepEqual([jobs, counts.completed], [150, 650]);
  });

test('verbs gives no figures when a job is lost', async () => {
  const { code, stdout, stderr } = await bench(
    'verbs',
    '--store',
    'memory',
    '--jobs',
    '50',
    '--batch',
    '50',
    '--repeat',
    '1',
    '--sabotage',
    'lost',
  );
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /Jobs of the kind plain/);
});
