import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { bench, measured, temporaryFolder } from './bench-process.ts';

/** Small runs of what is measured of threads and processes. What is asserted is what was done and said, never how fast. */

const SMALL = ['--repeat', '1', '--hosts', '2', '--jobs', '8', '--iterations', '100000', '--rate', '50'];
const BLOCK = ['--parts', 'block', '--block-seconds', '6', '--lease-ms', '2000'];

describe('bench lanes', { concurrency: 2 }, () => {
  test('jobs that compute run in every lane beside inline jobs, with the right results', async (t) => {
    const folder = temporaryFolder(t);
    const { document } = await measured('lanes', ...SMALL, '--parts', 'cpu', '--dir', folder);
    const { cpu } = document;
    assert.deepEqual(Object.keys(cpu.lanes), ['async', 'thread', 'process']);
    assert.ok(cpu.oneCore.median > 0 && cpu.bareCores.perSecond.median > 0);
    for (const [lane, { share, shareWhileTimed, pickup }] of Object.entries<AnyLane>(cpu.lanes)) {
      assert.ok(share.median > 0 && shareWhileTimed.median > 0, lane);
      assert.ok(pickup.samples >= 1, lane);
    }
    assert.deepEqual([document.overhead, document.pools, document.block], [null, null, null]);
    assert.equal(document.checks.rightResults, true);
    assert.deepEqual(readdirSync(folder), [], 'nothing is left behind');
  });

  test('no-op jobs are timed in every lane, and over the inline lane', async () => {
    const { document } = await measured('lanes', ...SMALL, '--parts', 'overhead', '--noop-jobs', '200');
    const { microsPerJob, overInline } = document.overhead;
    assert.deepEqual(Object.keys(microsPerJob), ['async', 'thread', 'process']);
    const [{ async, thread }] = document.overhead.runs;
    assert.equal(overInline.thread.median, Number((thread - async).toPrecision(4)));
  });

  test('the pools are compared with those of libraries, with one and with many jobs in flight', async () => {
    const { document } = await measured('lanes', ...SMALL, '--parts', 'pools', '--round-trips', '50');
    const { microsPerJob, threadsToPiscina } = document.pools;
    assert.equal(Object.keys(microsPerJob).length, 8);
    for (const byInFlight of Object.values<object>(microsPerJob))
      assert.deepEqual(Object.keys(byInFlight), ['1', '16']);
    assert.deepEqual(Object.keys(threadsToPiscina), ['1', '16']);
  });

  test('a handler that blocks for several leases keeps its own, while another worker goes on', async () => {
    const { document } = await measured('lanes', ...SMALL, ...BLOCK);
    const { blockedSeconds, attempt, leasesLost, otherJobs, pickup } = document.block;
    assert.ok(blockedSeconds >= 6);
    assert.deepEqual([attempt, leasesLost, otherJobs, pickup.samples], [1, 0, 150, 150]);
  });

  test('the block is left out when it takes no time', async () => {
    const { document } = await measured('lanes', ...SMALL, '--parts', 'block', '--block-seconds', '0');
    assert.equal(document.block, null);
  });

  test('the memory store is refused, since another process sends jobs', async () => {
    const { code, stdout, stderr } = await bench('lanes', '--store', 'memory');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /the memory store lives in one process/);
  });

  test('a part that does not exist is refused', async () => {
    const { code, stderr } = await bench('lanes', '--parts', 'cpu,gpu');
    assert.equal(code, 1);
    assert.match(stderr, /Expected names out of cpu, overhead, pools, block/);
  });

  const falsified = [
    ['lost', '--parts', 'cpu'],
    ['repeated', '--parts', 'overhead', '--noop-jobs', '50'],
    ['lost', '--parts', 'pools', '--round-trips', '20'],
    ['repeated', ...BLOCK],
  ] as const;
  for (const [sabotage, ...args] of falsified) {
    test(`${args[1]} fails and gives no figures when a job is ${sabotage}`, async () => {
      const { code, stdout, stderr } = await bench(
        'lanes',
        ...SMALL,
        ...args,
        '--json',
        '--sabotage',
        sabotage,
      );
      assert.deepEqual([code, stdout], [1, '']);
      const complaint = sabotage === 'lost' ? 'never ran' : 'ran more than once';
      assert.match(stderr, new RegExp(`^bench lanes: .*1 jobs ${complaint} \\(e\\.g\\. number 0\\)`, 'm'));
    });
  }
});

interface AnyLane {
  readonly share: { readonly median: number };
  readonly shareWhileTimed: { readonly median: number };
  readonly pickup: { readonly samples: number };
}
