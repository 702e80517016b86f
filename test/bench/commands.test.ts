import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bench, measured, temporaryFolder } from './bench-process.ts';

/** Small runs of every command as a user gives it. What is asserted is what was done and said, never how fast. */

describe('bench', { concurrency: 2 }, () => {
  test('burndown fills and empties a queue beside the hand-written loop, each job once', async (t) => {
    const folder = temporaryFolder(t);
    const output = join(folder, 'saved.json');
    const args = [
      '--store',
      'sqlite',
      '--jobs',
      '1200',
      '--repeat',
      '2',
      '--dir',
      folder,
      '--output',
      output,
    ];
    const { document, text } = await measured('burndown', ...args);

    assert.equal(document.ceiling.enqueuePerSecond > 0 && document.ceiling.processPerSecond > 0, true);
    assert.deepEqual(Object.keys(document.ratio), ['enqueue', 'process']);
    assert.equal(document.groupCommit.callers, 100);
    assert.deepEqual(document.checks, { executedOnce: true, completedInStore: true });
    assert.equal(document.runs.length, 2);
    for (const { pipeline, ceiling, groupCommit } of document.runs) {
      assert.deepEqual([pipeline.enqueue.jobs, pipeline.process.jobs], [1_200, 1_200]);
      assert.deepEqual([pipeline.counts.completed, ceiling.counts.completed], [1_200, 1_200]);
      assert.equal(groupCommit.counts.completed, 1_700);
    }
    assert.equal(readFileSync(output, 'utf8'), text);
    assert.deepEqual(readdirSync(folder), ['saved.json'], 'nothing else is left behind');
  });

  test('burndown has no ceiling for the memory store, and says why', async () => {
    const { document } = await measured('burndown', '--store', 'memory', '--jobs', '600', '--repeat', '1');
    assert.deepEqual([document.ceiling, document.ratio, document.groupCommit], [null, null, null]);
    assert.match(document.ceilingNote, /no store to compare with/);
    assert.equal(document.runs[0].pipeline.counts.completed, 600);
  });

  test('latency is measured in one process and across two', async () => {
    const args = ['--rate', '100', '--seconds', '0.6', '--warmup', '0.2'];
    const { document } = await measured('latency', ...args);
    for (const where of ['oneProcess', 'twoProcesses']) {
      for (const kind of ['pickup', 'acknowledgement', 'senderLate']) {
        const summary = document[kind][where];
        assert.equal(summary.samples, 60, `${kind} ${where}`);
        assert.ok(summary.p50 <= summary.p95 && summary.p95 <= summary.p99 && summary.p99 <= summary.max);
        assert.ok(document.runs[0][where][kind].histogram.length > 0);
      }
      assert.ok(document.pickup[where].p50 >= document.senderLate[where].p50);
    }
    assert.equal(document.commit.samples, 60);
    assert.equal(document.checks.clocksAgree, true);
  });

  test('latency of the memory store across processes is refused', async () => {
    const { code, stdout, stderr } = await bench('latency', '--store', 'memory', '--json');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /the memory store lives in one process: use --processes 1/);
  });

  test('idle gives the share of a core, of a worker that still works afterwards', async () => {
    const { document } = await measured('idle', '--seconds', '0.3');
    assert.ok(document.cpuPercentOfOneCore >= 0);
    assert.equal(document.runs[0].ledger.jobs, 1);
    assert.deepEqual(document.checks, { awake: true });
  });

  test('memory compares a worker with bare Node', async () => {
    const { document } = await measured('memory', '--repeat', '1', '--settle', '0.1');
    assert.equal(document.runs.length, 1);
    assert.equal(document.addedMb, Math.round((document.workerMb - document.nodeMb) * 10) / 10);
  });

  test('claim-cost claims at few and at many jobs, waiting and finished', async () => {
    const args = ['--jobs', '3000', '--base', '100', '--claims', '20', '--claim-size', '10'];
    const { document } = await measured('claim-cost', ...args);
    const [{ waiting, finished }] = document.runs;
    for (const { few, many } of [waiting, finished]) {
      assert.deepEqual(
        [few.level, many.level],
        [
          [100, 210],
          [3_000, 3_110],
        ],
      );
      for (const { claimMs, settleMs } of [few, many])
        assert.deepEqual([claimMs.samples, settleMs.samples], [20, 20]);
    }
    assert.deepEqual(Object.keys(document.ratio), ['waiting', 'finished']);
  });

  test('fleet shares one queue between processes, each job once', async () => {
    const { document } = await measured(
      'fleet',
      '--jobs',
      '600',
      '--processes',
      '1,2',
      '--warmup',
      '50',
      '--repeat',
      '1',
    );
    assert.deepEqual(
      document.fleets.map(({ processes }: { processes: number }) => processes),
      [1, 2],
    );
    for (const { processes, shares } of document.runs[0]) {
      assert.equal(shares.length, processes);
      assert.equal(
        shares.reduce((sum: number, share: number) => sum + share, 0),
        600,
      );
    }
    assert.deepEqual(document.checks, { executedOnce: true, completedInStore: true, noDeadlocks: true });
  });

  test('a URL is refused for a store that is no server', async () => {
    const { code, stdout, stderr } = await bench('burndown', '--url', 'redis://127.0.0.1:1');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /--url names a server: use it with --store postgres or redis/);
  });

  const falsified = [
    ['lost', 'burndown', '--jobs', '200', '--repeat', '1'],
    ['repeated', 'burndown', '--jobs', '200', '--repeat', '1'],
    ['lost', 'latency', '--rate', '50', '--seconds', '0.2', '--warmup', '0', '--processes', '2'],
    ['repeated', 'idle', '--seconds', '0.1'],
    ['lost', 'fleet', '--jobs', '200', '--processes', '2', '--warmup', '0', '--repeat', '1'],
    ['repeated', 'fleet', '--jobs', '200', '--processes', '2', '--warmup', '0', '--repeat', '1'],
    ['lost', 'claim-cost', '--jobs', '200', '--base', '100', '--claims', '1', '--claim-size', '10'],
  ] as const;
  for (const [sabotage, command, ...args] of falsified) {
    test(`${command} fails and gives no figures when a job is ${sabotage}`, async () => {
      const { code, stdout, stderr } = await bench(command, ...args, '--json', '--sabotage', sabotage);
      assert.deepEqual([code, stdout], [1, '']);
      const complaint = sabotage === 'lost' ? 'never ran' : 'ran more than once';
      assert.match(
        stderr,
        new RegExp(`^bench ${command}: .*1 jobs ${complaint} \\(e\\.g\\. number 0\\)`, 'm'),
      );
    });
  }

  test('without --json a table is printed', async () => {
    const { code, stdout } = await bench('burndown', '--store', 'memory', '--jobs', '100', '--repeat', '1');
    assert.equal(code, 0);
    assert.match(stdout, /^process, jobs\/s +[\d,]+ +[\d,]+ +[\d,]+$/m);
  });

  test('a bad option is refused with what was expected', async () => {
    const { code, stdout, stderr } = await bench('burndown', '--jobs', 'many');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /'--jobs <n>' argument 'many' is invalid\. Expected a whole number of at least 1/);
  });

  test('a folder for the result that does not exist is refused before anything is measured', async (t) => {
    const output = join(temporaryFolder(t), 'missing', 'result.json');
    const { code, stdout, stderr } = await bench('burndown', '--jobs', '100', '--output', output);
    assert.deepEqual([code, stdout], [1, '']);
    assert.doesNotMatch(stderr, /pipeline/);
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
