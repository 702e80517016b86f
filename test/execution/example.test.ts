import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

test('the example of strategies runs and ends by itself', { timeout: 60_000 }, async () => {
  const main = fileURLToPath(new URL('../../examples/strategies/main.ts', import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ['--disable-warning=ExperimentalWarning', main];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
  const lines = ['168', '1229', '9592', 'JOB_FAILED LANE_CRASHED'];
  lines.push('primes: thread (hint cpu)', 'fragile: process (strategy process)');
  assert.deepEqual([stdout.trim().split('\n'), stderr], [lines, '']);
});
