/** Two results of one command: each figure's ratio with its interval, a verdict, and an exit code for checks. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ComparedFigure, type Comparison, compareResults } from '../../bench/src/report/compare.ts';
import { NotComparable } from '../../bench/src/report/differences.ts';
import { type Result, resultOfDocument } from '../../bench/src/report/result.ts';
import { bench, temporaryFolder } from './bench-process.ts';

const RECORDED = fileURLToPath(new URL('../../bench/results/', import.meta.url));
const NAMES = [
  '2026-11-22-idle-redis',
  '2026-11-22-lanes',
  '2026-11-22-work-benchmark-workloads',
  '2026-11-30-verbs-postgres',
  '2026-12-01-rivals',
];

interface Given {
  readonly median: number;
  readonly spread?: number;
  readonly settings?: object;
  readonly machine?: object;
  readonly figure?: string;
  readonly more?: object;
}

/** Runs within `spread` of the median, which is what a quiet machine gives. */
function made({
  median,
  spread = 0.02,
  settings = {},
  machine = {},
  figure = 'processPerSecond',
  more = {},
}: Given): Result {
  return resultOfDocument('made.json', {
    schema: 'longshore-bench/1',
    command: 'burndown',
    startedAt: '2026-11-22T10:00:00.000Z',
    tookMs: 10,
    settings: { repeat: 5, store: 'sqlite', jobs: 100, ...settings },
    machine: { cpu: 'x', cores: 2, memoryMb: 1_000, node: 'v24.1.0', ...machine },
    spread: { [figure]: { median, min: median * (1 - spread), max: median * (1 + spread) } },
    ...more,
  });
}

function only(comparison: Comparison): ComparedFigure {
  assert.equal(comparison.figures.length, 1);
  return comparison.figures[0] as ComparedFigure;
}

for (const name of NAMES)
  test(`a recorded ${name} against itself is 1 within every interval`, () => {
    const file = readFileSync(`${RECORDED}${name}.json`, 'utf8');
    const result = resultOfDocument(name, JSON.parse(file));
    const { figures, onlyBefore, onlyAfter, passed } = compareResults(result, result, { maxLoss: 0 });
    assert.ok(figures.length > 0);
    assert.deepEqual([onlyBefore, onlyAfter, passed], [[], [], true]);
    for (const { ratio, low, high, verdict } of figures) {
      assert.equal(ratio, 1);
      assert.ok(low === null || high === null || (low <= 1 && high >= 1));
      assert.ok(['same', 'unclear', 'one run'].includes(verdict));
    }
  });

test('a rate that is 10 % lower is found worse, and one that is higher better', () => {
  const worse = only(compareResults(made({ median: 1_000 }), made({ median: 900 }), { maxLoss: 5 }));
  assert.deepEqual([worse.verdict, worse.failed, worse.ratio], ['worse', true, 0.9]);
  assert.ok((worse.low ?? 1) < 0.9 && (worse.high ?? 1) < 1);
  const better = only(compareResults(made({ median: 900 }), made({ median: 1_000 }), { maxLoss: 5 }));
  assert.deepEqual([better.verdict, better.failed], ['better', false]);
});

test('a loss within what is allowed passes, and so does one that the runs do not show for certain', () => {
  const small = only(compareResults(made({ median: 1_000 }), made({ median: 950 }), { maxLoss: 10 }));
  assert.deepEqual([small.verdict, small.failed], ['worse', false]);
  const noisy = only(
    compareResults(made({ median: 1_000, spread: 0.3 }), made({ median: 800, spread: 0.3 }), { maxLoss: 5 }),
  );
  assert.deepEqual([noisy.verdict, noisy.failed], ['unclear', false]);
});

test('of times, less is better; of ratios of times, too', () => {
  const figure = 'pickup.twoProcesses.p50';
  const slower = only(
    compareResults(made({ median: 1, figure }), made({ median: 1.2, figure }), { maxLoss: 10 }),
  );
  assert.deepEqual([slower.verdict, slower.failed, slower.unit], ['worse', true, 'ms']);
  const ratio = { rivals: { dbos: { ratio: { fanOut: { 10: { median: 2, min: 1, max: 3 } } } } } };
  const flows = made({ median: 1, more: { command: 'flows', ...ratio } });
  const { figures } = compareResults(flows, flows);
  assert.equal(figures.find(({ name }) => name === 'rivals.dbos.ratio.fanOut.10')?.better, 'lower');
});

test('a figure of a single run has no interval and never fails', () => {
  const settings = { repeat: 1 };
  const one = only(
    compareResults(made({ median: 1_000, settings }), made({ median: 10, settings }), { maxLoss: 1 }),
  );
  assert.deepEqual([one.verdict, one.low, one.coverage, one.failed], ['one run', null, null, false]);
});

test('more runs give the interval more weight: 5 hold the median with 94 %, 3 with 75 %', () => {
  const coverage = (repeat: number) =>
    only(compareResults(made({ median: 1, settings: { repeat } }), made({ median: 1 }))).coverage;
  assert.deepEqual([coverage(5), coverage(3)], [0.9375, 0.75]);
});

test('lists are compared by what their items are of, in any order', () => {
  const fleets = [1, 2, 4].map((processes) => ({
    processes,
    processPerSecond: { median: processes, min: processes, max: processes },
  }));
  const before = made({ median: 1, more: { fleets } });
  const after = made({ median: 1, more: { fleets: fleets.toReversed() } });
  const { figures } = compareResults(before, after);
  assert.deepEqual(
    figures.filter(({ name }) => name.startsWith('fleets')).map(({ ratio }) => ratio),
    [1, 1, 1],
  );
});

test('unlike machines, settings and commands are refused, and compared when told', () => {
  const one = made({ median: 1 });
  const refused = (other: Result, message: RegExp) =>
    assert.throws(
      () => compareResults(one, other),
      (error) => error instanceof NotComparable && message.test(error.message),
    );
  const bigger = made({ median: 1, machine: { cores: 8 } });
  refused(bigger, /machines differ: cores 2 and 8\. .+--any-machine/);
  refused(made({ median: 1, machine: { memoryMb: 2_000 } }), /memory 1000 and 2000 MB/);
  refused(made({ median: 1, more: { server: { kind: 'redis', version: '7' } } }), /server none and redis/);
  refused(
    made({ median: 1, settings: { jobs: 200 } }),
    /settings differ: jobs 100 and 200\. .+--any-settings/,
  );
  refused(made({ median: 1, more: { command: 'versus' } }), /of the command burndown, made\.json of versus/);
  refused(made({ median: 1, figure: 'otherPerSecond' }), /share no figure/);
  assert.deepEqual(compareResults(one, bigger, { anyMachine: true }).differences, ['cores 2 and 8']);
  // More repeats are no other work, and another Node may be what is compared.
  const newer = made({ median: 1, settings: { repeat: 9 }, machine: { node: 'v26.0.0', memoryMb: 1_010 } });
  assert.deepEqual(compareResults(one, newer).differences, ['node v24.1.0 and v26.0.0']);
});

function saved(t: TestContext, ...results: readonly Result[]): readonly string[] {
  const folder = temporaryFolder(t);
  return results.map(({ document }, n) => {
    const path = join(folder, `${n}.json`);
    writeFileSync(path, JSON.stringify(document));
    return path;
  });
}

test('compare ends with 1 when a figure is certainly worse than allowed, and names it', async (t) => {
  const [before = '', after = ''] = saved(t, made({ median: 1_000 }), made({ median: 800 }));
  const free = await bench('compare', before, after);
  assert.deepEqual([free.code, free.stderr], [0, '']);
  assert.match(free.stdout, /processPerSecond +jobs\/s +1,000 +800 +0\.800 +0\.\d{3}-0\.\d{3} +worse/);
  const held = await bench('compare', before, after, '--max-loss', '10');
  assert.equal(held.code, 1);
  assert.match(held.stderr, /worse by more than 10 %: processPerSecond \(0\.800\)/);
  const told = await bench('compare', before, after, '--max-loss', '10', '--json');
  const { schema, passed, figures } = JSON.parse(told.stdout);
  assert.deepEqual(
    [told.code, schema, passed, figures[0].verdict],
    [1, 'longshore-bench-comparison/1', false, 'worse'],
  );
});

test('compare ends with 2 for what it cannot compare, and for options that cannot be meant', async (t) => {
  const [one = '', bigger = ''] = saved(t, made({ median: 1 }), made({ median: 1, machine: { cores: 8 } }));
  for (const [arguments_, message] of [
    [[one, bigger], /machines differ/],
    [[one, `${one}.none`], /cannot be read/],
    [
      [one, one, '--figures', 'nothing'],
      /share no figure whose name contains "nothing"; names are paths in the results, such as processPerSecond/,
    ],
  ] as const) {
    const { code, stderr } = await bench('compare', ...arguments_);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  assert.equal((await bench('compare', one, bigger, '--any-machine')).code, 0);
  const wrong = await bench('compare', one, one, '--max-loss', 'ten');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /Expected a percentage from 0 to 100/);
});
