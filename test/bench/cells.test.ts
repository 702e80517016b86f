/** Results of the kit's cells, in reports and comparisons: by what varies among them, with every round's value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { KitDocument } from '../../bench/src/kit/document.ts';
import type { Chart } from '../../bench/src/report/chart.ts';
import { compareResults } from '../../bench/src/report/compare.ts';
import { reportPage } from '../../bench/src/report/html/page.ts';
import { commandLine } from '../../bench/src/report/origin.ts';
import { reportOf } from '../../bench/src/report/report.ts';
import { type Result, resultOfDocument } from '../../bench/src/report/result.ts';

const CELL = { system: 'longshore', benchmark: 'burn', status: 'done' as const };

function figure(unit: string, better: 'higher' | 'lower' | 'neither', ...values: number[]) {
  return { unit, better, values };
}

function rates(...values: number[]) {
  return { processPerSecond: figure('1/s', 'higher', ...values) };
}

function made(cells: KitDocument['cells'], more: Partial<KitDocument> = {}): Result {
  const document: KitDocument = {
    schema: 'longshore-bench/2',
    command: 's1',
    arguments: ['s1', '--only', 'store=redis'],
    startedAt: '2026-11-30T22:00:00.000Z',
    tookMs: 1_000,
    complete: true,
    roundsWanted: 5,
    machine: {
      cpu: 'x',
      cores: 2,
      memoryMb: 1_000,
      node: 'v24.1.0',
      platform: 'linux',
      filesystem: 'ext4',
      loadBefore: 0,
      longshore: '0.1.0',
      commit: null,
      dirty: null,
    },
    before: { fsyncMs: 1, load: 0, stealPercent: 0 },
    after: { fsyncMs: 2, load: 1, stealPercent: 3 },
    servers: [],
    systems: [{ name: 'longshore', version: '0.1.0', durability: 'A crash.', retention: 'Kept.' }],
    cells,
    targets: [],
    ...more,
  };
  assert.ok(Value.Check(KitDocument, document), 'what is tested is a result of the kit');
  return resultOfDocument('made.json', document);
}

function chartsOf(result: Result): readonly Chart[] {
  return reportOf([result]).sections.flatMap(({ charts }) => charts);
}

test('cells are labelled by what varies, grouped by store, with the range of their rounds', () => {
  const cell = (store: string, workers: number, ...values: number[]) => ({
    ...CELL,
    id: `${store} ${workers}`,
    workload: { store, workers, jobs: 100 },
    figures: rates(...values),
  });
  const [chart] = chartsOf(
    made([cell('sqlite', 1, 3, 1, 2), cell('redis', 1, 5), cell('sqlite', 10, 4, 4, 4)]),
  );
  assert.deepEqual([chart?.kind, chart?.title, chart?.unit], ['bars', 'Process', 'jobs/s']);
  assert.deepEqual(chart?.kind === 'bars' && chart.rows, [
    { group: 'SQLite', label: 'workers 1', whose: 'own', value: 2, low: 1, high: 3 },
    { group: 'SQLite', label: 'workers 10', whose: 'own', value: 4, low: 4, high: 4 },
    { group: 'Redis', label: 'workers 1', whose: 'own', value: 5, low: null, high: null },
  ]);
});

test('a number with three values is an axis, other systems are lines of their own', () => {
  const cells = [1, 2, 4].flatMap((workers) =>
    ['longshore', 'bullmq'].map((system) => ({
      ...CELL,
      system,
      id: `${system} ${workers}`,
      workload: { workers },
      figures: rates(workers),
    })),
  );
  const chart = chartsOf(made(cells)).find(({ kind }) => kind === 'lines');
  assert.equal(chart?.title, 'Process by workers');
  assert.deepEqual(
    chart?.kind === 'lines' &&
      chart.series.map(({ name, points }) => [name, points.map(({ x, y }) => [x, y])]),
    [
      [
        'Longshore',
        [
          [1, 1],
          [2, 2],
          [4, 4],
        ],
      ],
      [
        'bullmq',
        [
          [1, 1],
          [2, 2],
          [4, 4],
        ],
      ],
    ],
  );
});

test('latencies are curves, a soak is lines over time, strategy by handler is a heat map', () => {
  const cells = ['async', 'thread'].flatMap((strategy) =>
    ['none', 'compute'].map((handler) => ({
      ...CELL,
      id: `${strategy} ${handler}`,
      workload: { strategy, handler },
      figures: {
        ...rates(1),
        'pickupMs.p50': figure('ms', 'lower', 1),
        'pickupMs.p99': figure('ms', 'lower', 2),
      },
      series: { seconds: [0, 1], rssMb: [50, 51] },
    })),
  );
  const kinds = chartsOf(made(cells)).map(({ kind, title }) => `${kind}: ${title}`);
  for (const wanted of ['heat: Process by strategy and handler', 'lines: Pickup', 'lines: Rss over time'])
    assert.ok(kinds.includes(wanted), `${wanted} in ${kinds.join('; ')}`);
});

test('Longshore is set over every other system under the same workload', () => {
  const cell = (system: string, handler: string, ...values: number[]) => ({
    ...CELL,
    system,
    id: `${system} ${handler}`,
    workload: { system, handler },
    figures: { ...rates(...values), givenBackBytes: figure('B', 'lower', -50) },
  });
  const charts = chartsOf(
    made([
      cell('longshore', 'none', 4, 4),
      cell('longshore, deleting', 'none', 5, 5),
      cell('hand-written loop', 'none', 8, 8),
      cell('bullmq', 'none', 1, 2),
      cell('bullmq', 'compute', 1),
    ]),
  );
  const ratio = charts.find(({ title }) => title === "Longshore's rate, times the other's");
  assert.deepEqual(
    ratio?.kind === 'bars' &&
      ratio.rows.map(({ group, label, whose, value }) => [group, label, whose, Number(value.toFixed(2))]),
    [
      ['none', 'over hand-written loop', 'ceiling', 0.5],
      ['none', 'over bullmq', 'own', 2.83],
    ],
  );
});

test('targets, what could not be measured, and systems are told', () => {
  const failed = {
    ...CELL,
    id: 'b',
    workload: {},
    status: 'failed' as const,
    reason: 'A <job> was lost.',
    figures: {},
  };
  const target = {
    name: 'fast',
    cell: 'a',
    figure: 'processPerSecond',
    operator: '>' as const,
    limit: 1,
    unit: 'jobs/s',
  };
  const result = made([{ ...CELL, id: 'a', workload: {}, figures: rates(2) }, failed], {
    targets: [
      { ...target, value: 2, passed: true },
      { ...target, name: 'faster', value: null, passed: false },
    ],
  });
  const page = reportPage([result], 'Cells');
  for (const text of [
    '1 of 2',
    'met',
    'not measured',
    'A &#60;job&#62; was lost.',
    'A crash.',
    'an fsync took 1 ms before and 2 ms after, 3 % of the time was stolen',
  ])
    assert.ok(page.includes(text), text);
  assert.equal(commandLine(result), 'npm run -s bench -- s1 --only store=redis');
});

test('with every round known, a ratio has the interval of the rank-sum test', () => {
  const one = (...values: number[]) => made([{ ...CELL, id: 'a', workload: {}, figures: rates(...values) }]);
  const [same] = compareResults(one(99, 100, 101, 100, 100), one(100, 99, 101, 100, 100)).figures;
  assert.deepEqual([same?.verdict, same?.name], ['same', 'a: processPerSecond']);
  const [slower] = compareResults(one(99, 100, 101, 100, 98), one(90, 89, 91, 90, 88), {
    maxLoss: 5,
  }).figures;
  assert.deepEqual([slower?.verdict, slower?.failed], ['worse', true]);
  assert.ok((slower?.low ?? 0) < 0.9 && (slower?.high ?? 1) < 0.93 && (slower?.coverage ?? 0) >= 0.95);
});

test('cells with other work are refused unless told, cells that only one has are named', () => {
  const cell = (id: string, jobs: number) => ({ ...CELL, id, workload: { jobs }, figures: rates(1, 1, 1) });
  const [short, long] = [made([cell('a', 10), cell('b', 10)]), made([cell('a', 20)])];
  assert.throws(() => compareResults(short, long), /settings differ: jobs 10 and 20/);
  const { figures, onlyBefore } = compareResults(short, long, { anySettings: true });
  assert.deepEqual([figures.length, onlyBefore], [1, ['b: processPerSecond']]);
});

test('cells without any figure, or with figures of other forms, break no page', () => {
  const page = reportPage(
    [
      made([]),
      resultOfDocument('odd.json', {
        schema: 'longshore-bench/2',
        command: 'x',
        startedAt: '2026-11-30T22:00:00.000Z',
        cells: [
          null,
          3,
          {},
          { id: 'a', figures: { aPerSecond: { values: ['1', null] }, b: 3 }, series: { seconds: 3 } },
        ],
        targets: [{}],
        systems: [{}],
      }),
    ],
    'Odd',
  );
  assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});
