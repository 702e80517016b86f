/** What programs look up in a result of flows: figures by shape, and ratios to others for what both have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '../../bench/src/kit/document.ts';
import { flowFigures } from '../../bench/src/kit/flow-document.ts';

function cell(
  system: string,
  benchmark: string,
  workload: Cell['workload'],
  figures: Record<string, number[]>,
): Cell {
  const told = Object.entries(figures).map(([name, values]) => [
    name,
    { unit: '', better: 'neither', values } as const,
  ]);
  return {
    id: `${system} ${JSON.stringify(workload)}`,
    system,
    benchmark,
    workload,
    status: 'done',
    figures: Object.fromEntries(told),
  };
}

const CELLS = [
  cell(
    'longshore',
    'flow',
    { shape: 'linear3' },
    {
      runsPerSecond: [49, 50, 51],
      'endToEndMs.p50': [4, 6, 5],
      'edgeMs.p50': [1],
    },
  ),
  cell('bullmq', 'flow', { shape: 'linear3' }, { runsPerSecond: [50], 'endToEndMs.p50': [10] }),
  cell('bullmq', 'flow', { shape: 'linear4' }, { runsPerSecond: [50] }),
  cell('longshore', 'flow', { part: 'burst', shape: 'diamond' }, { runsPerSecond: [900] }),
  cell('longshore', 'flow', { part: 'fanOut', items: 100 }, { fanOutMs: [20], itemsPerSecond: [5_000] }),
  cell('longshore', 'flow', { part: 'fanOut', items: 10_000 }, { fanOutMs: [500], itemsPerSecond: [20_000] }),
  cell('bullmq', 'flow', { part: 'fanOut', items: 100 }, { fanOutMs: [40], itemsPerSecond: [2_500] }),
  cell('longshore', 'burn', { jobs: 10_000 }, { processPerSecond: [25_000] }),
];

test('each shape has its medians, and null where there were too few samples', () => {
  const { shapes, burst, fanOut } = flowFigures({ cells: CELLS });
  assert.deepEqual(shapes, {
    linear3: {
      runsPerSecond: 50,
      endToEndMs: { p50: 5, p95: null, p99: null },
      edgeMs: { p50: 1, p95: null, p99: null },
    },
  });
  assert.deepEqual(
    [burst, fanOut],
    [{ diamond: { runsPerSecond: 900 } }, { 100: { ms: 20 }, 10000: { ms: 500 } }],
  );
});

test('ratios are of what both have, and steps settle beside plain jobs', () => {
  const { rivals, settleShare } = flowFigures({ cells: CELLS });
  assert.deepEqual(rivals.bullmq?.ratio, {
    endToEndMs: { linear3: { p50: 0.5, p95: null, p99: null } },
    edgeMs: { linear3: { p50: null, p95: null, p99: null } },
    burst: {},
    fanOut: { 100: 0.5 },
  });
  assert.equal(settleShare, 0.8);
});

test('cells that failed have no part in it', () => {
  const failed = CELLS.map((one): Cell => ({ ...one, status: 'failed' }));
  assert.deepEqual(flowFigures({ cells: failed }), {
    unit: 'ms',
    shapes: {},
    burst: {},
    fanOut: {},
    settleShare: null,
    rivals: {},
  });
});
