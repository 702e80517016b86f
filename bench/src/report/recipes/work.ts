import type { Bar, Bars, Chart, Heat, Lines, Series } from '../chart.ts';
import { itemsAt, measuredAt, numberAt, textAt } from '../fields.ts';
import { barOf, labelsOf, type Recipe } from '../recipe.ts';
import type { Fields } from '../result.ts';

/** Jobs that do a fixed amount of work, by strategy and workload. */
export const work: Recipe = {
  commands: ['work', 'suite'],
  title: 'Strategy and workload',
  intro:
    'Jobs do a fixed amount of work, in each lane. In the heat map, colours compare the strategies of one workload: the strongest is the fastest.',
  charts: (results) => {
    const labels = labelsOf(results);
    return results.flatMap((result, n) => {
      const done = itemsAt(result.document, 'results').filter(
        (one) => measuredAt(one, 'jobsPerSecond') !== null,
      );
      return done.length === 0 ? [] : chartsOf(done, results.length > 1 ? `, ${labels[n]}` : '');
    });
  },
};

function chartsOf(done: readonly Fields[], suffix: string): Chart[] {
  return [
    heatMap(done, suffix),
    bars(done, `Rate by strategy${suffix}`, 'jobs/s', 'higher', (one) => measuredAt(one, 'jobsPerSecond')),
    bars(done, `Delay of the event loop meanwhile, p99${suffix}`, 'ms', 'lower', (one) =>
      medianOfRuns(one, 'eventLoopDelayMs', 'p99'),
    ),
    bars(done, `Peak memory of the worker${suffix}`, 'MB', 'lower', (one) =>
      medianOfRuns(one, 'memoryMb', 'peak'),
    ),
    ...scalings(done, 'concurrency', 'jobs at once', suffix),
    ...scalings(done, 'jobs', 'jobs in the queue', suffix),
  ].filter((chart) => chart.kind !== 'bars' || chart.rows.length > 0);
}

/** Scenarios that differ only in strategy and workload are one table; of several, the best rate. */
function heatMap(done: readonly Fields[], suffix: string): Heat {
  const cells = new Map<string, Heat['cells'][number]>();
  for (const one of done) {
    const [row, column] = [textAt(one, 'strategy') ?? '', textAt(one, 'workload') ?? ''];
    const value = measuredAt(one, 'jobsPerSecond')?.value ?? 0;
    const before = cells.get(`${row} ${column}`);
    if (before === undefined || before.value < value) cells.set(`${row} ${column}`, { row, column, value });
  }
  return {
    kind: 'heat',
    title: `Rate by strategy and workload${suffix}`,
    unit: 'jobs/s',
    better: 'higher',
    note: 'of several scenarios, the fastest',
    within: 'column',
    cells: [...cells.values()],
  };
}

function bars(
  done: readonly Fields[],
  title: string,
  unit: string,
  better: 'higher' | 'lower',
  figure: (one: Fields) => ReturnType<typeof measuredAt>,
): Bars {
  // A suite has tens of scenarios; as bars, those of the kind that most are of.
  const shown = likeFirst(done);
  const rows = shown.flatMap((one): Bar[] => {
    const strategy = textAt(one, 'strategy') ?? '';
    const bar = barOf(
      textAt(one, 'workload') ?? '',
      strategy,
      strategy === 'auto' ? 'own' : 'other',
      figure(one),
    );
    return bar === null ? [] : [bar];
  });
  const groups = [...new Set(rows.map(({ group }) => group))];
  return {
    kind: 'bars',
    title,
    unit,
    better,
    rows: groups.flatMap((name) => rows.filter(({ group }) => group === name)),
  };
}

/** One scenario for each strategy and workload: the first. */
function likeFirst(done: readonly Fields[]): readonly Fields[] {
  const seen = new Set<string>();
  return done.filter((one) => {
    const key = `${textAt(one, 'strategy')} ${textAt(one, 'workload')}`;
    const fresh = !seen.has(key);
    seen.add(key);
    return fresh;
  });
}

function medianOfRuns(one: Fields, ...path: readonly string[]): ReturnType<typeof measuredAt> {
  const values = itemsAt(one, 'runs')
    .flatMap((run) => numberAt(run, ...path) ?? [])
    .sort((a, b) => a - b);
  const middle = values[values.length >> 1];
  return middle === undefined ? null : { value: middle, low: values[0] ?? null, high: values.at(-1) ?? null };
}

/** Where scenarios of one phase differ in that field: the rate over it, a line for each strategy and workload. */
function scalings(done: readonly Fields[], field: string, title: string, suffix: string): Lines[] {
  const phases = [...new Set(done.map((one) => textAt(one, 'phase') ?? ''))];
  return phases.flatMap((phase): Lines[] => {
    const own = done.filter((one) => textAt(one, 'phase') === phase);
    if (new Set(own.map((one) => numberAt(one, field))).size < 3) return [];
    const names = [...new Set(own.map((one) => `${textAt(one, 'strategy')}, ${textAt(one, 'workload')}`))];
    const series = names.map((name): Series => {
      const points = own
        .filter((one) => `${textAt(one, 'strategy')}, ${textAt(one, 'workload')}` === name)
        .flatMap((one) => {
          const [x, found] = [numberAt(one, field), measuredAt(one, 'jobsPerSecond')];
          return x === null || found === null
            ? []
            : [{ x, y: found.value, low: found.low, high: found.high }];
        })
        .sort((a, b) => a.x - b.x);
      return { name, whose: 'own', points };
    });
    return [
      {
        kind: 'lines',
        title: `Rate by ${title}, phase ${phase}${suffix}`,
        unit: 'jobs/s',
        better: 'higher',
        x: { title, scale: 'log' },
        yScale: 'linear',
        series: series.filter(({ points }) => points.length > 1),
      },
    ];
  });
}
