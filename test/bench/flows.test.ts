import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverUrl } from '../servers.ts';
import { type AnyDocument, bench, measured } from './bench-process.ts';

/** Small runs of `bench flows`. What is asserted is what was done and said, never how fast. */
const SMALL = [
  ...['--runs', '6', '--warmup', '2', '--rate', '100', '--burst', '5', '--settle', '50'],
  ...['--items', '10,100'],
];
const SHAPES = ['linear3', 'linear4', 'diamond', 'dag7', 'tree8', 'conditional', 'order', 'batch'];
/** Of each run. */
const EDGES: Readonly<Record<string, number>> = {
  linear3: 2,
  linear4: 3,
  diamond: 3,
  dag7: 6,
  tree8: 7,
  order: 3,
};

function assertPercentiles(summary: AnyDocument, samples: number): void {
  assert.equal(summary.samples, samples);
  assert.ok(summary.p50 <= summary.p95 && summary.p95 <= summary.p99);
}

describe('bench flows', () => {
  test('every shape, runs at once, fan-outs and the share of the settle rate, across two processes', async () => {
    const { document } = await measured('flows', '--store', 'sqlite', ...SMALL);
    assert.deepEqual(Object.keys(document.shapes), SHAPES);
    for (const [name, { runsPerSecond, endToEndMs, edgeMs }] of Object.entries<AnyDocument>(
      document.shapes,
    )) {
      assert.ok(runsPerSecond > 0, name);
      assertPercentiles(endToEndMs, 6);
      if (EDGES[name] !== undefined) assertPercentiles(edgeMs, 6 * EDGES[name]);
    }
    assert.deepEqual(Object.keys(document.burst), ['linear3', 'diamond']);
    assert.equal(document.burst.linear3.runs, 5);
    assert.deepEqual(Object.keys(document.fanOut), ['10', '100']);
    assert.ok(document.fanOut['100'].ms > 0 && document.settleShare > 0);
    assert.deepEqual([document.rivals, document.server], [{}, null]);
    assert.deepEqual(document.checks, {
      rightResults: true,
      executedOnce: true,
      completedInStore: true,
      clocksAgree: true,
    });
  });

  test('chosen shapes in one process, which is all that the memory store has', async () => {
    const one = ['--store', 'memory', '--shapes', 'batch,conditional', '--burst', '0', '--settle', '0'];
    const { document } = await measured('flows', ...SMALL, ...one, '--items', '0', '--processes', '1');
    assert.deepEqual(Object.keys(document.shapes), ['batch', 'conditional']);
    assert.deepEqual([document.burst, document.fanOut, document.settleShare], [{}, {}, null]);
    const { code, stderr } = await bench('flows', '--store', 'memory');
    assert.deepEqual([code, /use --processes 1/.test(stderr)], [1, true]);
  });

  for (const how of ['lost', 'repeated'])
    test(`a job that is ${how} gives no figures`, async () => {
      const args = [
        '--shapes',
        'linear3',
        '--burst',
        '0',
        '--items',
        '0',
        '--settle',
        '0',
        '--sabotage',
        how,
      ];
      const { code, stdout, stderr } = await bench('flows', ...SMALL, ...args, '--json');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^bench flows: longshore: linear3: 1 steps ran too often or not at all/m);
    });

  test('other systems that there are not on the store are refused', async () => {
    const { code, stderr } = await bench('flows', '--store', 'sqlite', '--rivals', 'bullmq');
    assert.deepEqual([code, /on sqlite there are none/.test(stderr)], [1, true]);
  });

  for (const [kind, rivals] of [
    ['postgres', { 'pg-boss': ['diamond'], dbos: ['diamond'] }],
    ['redis', { bullmq: ['linear3'] }],
  ] as const)
    test(`other systems on ${kind} run the shapes that they have`, async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const shapes = kind === 'postgres' ? 'diamond' : 'linear3,diamond';
      const args = ['--shapes', shapes, '--store', kind, '--url', url, '--items', '10'];
      const { document } = await measured('flows', ...SMALL, ...args, '--settle', '0');
      assert.deepEqual(Object.keys(document.rivals), Object.keys(rivals));
      for (const [name, theirs] of Object.entries(rivals)) {
        const rival = document.rivals[name];
        assert.deepEqual(Object.keys(rival.shapes), theirs);
        assert.deepEqual(Object.keys(rival.ratio.burst), theirs);
        assert.deepEqual(Object.keys(rival.ratio.endToEndMs), theirs);
        assert.ok(rival.ratio.fanOut['10'] > 0 && rival.note.length > 0);
      }
    });
});
