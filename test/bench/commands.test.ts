import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bench, measured, temporaryFolder } from './bench-process.ts';

/** Small runs of every command as a user gives it. What is asserted is what was done and said, never how fast. */

describe('bench', { concurrency: 2 }, () => {
  test('idle gives the share of a core, of a worker that still works afterwards', async () => {
    const { document } = await measured('idle', '--seconds', '0.3');
    assert.ok(document.cpuPercentOfOneCore >= 0);
    assert.equal(document.runs[0].ledger.jobs, 1);
    assert.deepEqual(document.checks, { awake: true });
  });

  test('a URL is refused for a store that is no server', async () => {
    const { code, stdout, stderr } = await bench('idle', '--url', 'redis://127.0.0.1:1');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /--url names a server: use it with --store postgres or redis/);
  });

  test('idle fails and gives no figures when its job is repeated', async () => {
    const { code, stdout, stderr } = await bench(
      'idle',
      '--seconds',
      '0.1',
      '--json',
      '--sabotage',
      'repeated',
    );
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^bench idle: .*1 jobs ran more than once \(e\.g\. number 0\)/m);
  });

  test('a bad option is refused with what was expected', async () => {
    const { code, stdout, stderr } = await bench('lanes', '--jobs', 'many');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /'--jobs <n>' argument 'many' is invalid\. Expected a whole number of at least 1/);
  });

  test('a folder for the result that does not exist is refused before anything is measured', async (t) => {
    const output = join(temporaryFolder(t), 'missing', 'result.json');
    const { code, stdout, stderr } = await bench('idle', '--seconds', '0.1', '--output', output);
    assert.deepEqual([code, stdout], [1, '']);
    assert.doesNotMatch(stderr, /idle worker/);
  });

  test('SIGTERM ends a measurement at once, and its files are gone', async (t) => {
    const folder = temporaryFolder(t);
    const child = startBench(t, 'idle', '--seconds', '600', '--dir', folder);
    await said(child, 'idle worker');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 143);
    assert.deepEqual(readdirSync(folder), []);
  });
});

function startBench(t: TestContext, ...args: string[]) {
  const main = fileURLToPath(new URL('../../bench/src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function said(child: ReturnType<typeof startBench>, text: string): Promise<void> {
  let heard = '';
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    heard += chunk;
    if (heard.includes(text)) return;
  }
  throw new Error(`the process ended without saying ${text}: ${heard}`);
}
