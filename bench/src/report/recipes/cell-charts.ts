import type { Bars, Chart, Heat, Lines, Point, Series } from '../chart.ts';
import { middleOf, numberAt, numbersAt, recordAt, textAt } from '../fields.ts';
import type { Curves } from '../labels.ts';
import type { Fields } from '../result.ts';
import { type LabelledCell, labelled, tellingSettings, varyingSettings, wordsOf } from './cell-labels.ts';
import { PERCENTILES, percentileChart } from './percentiles.ts';

/** Charts of cells of one benchmark, by the names of their figures. Percentiles are names with a point: `pickupMs.p99`. */
export function figureCharts(cells: readonly LabelledCell[], which: RegExp): readonly Bars[] {
  const names = figureNames(cells).filter((name) => !name.includes('.') && which.test(name));
  return names.flatMap((name) =>
    partsOf(cells).map(({ of, cells: part }) => figureChart(part, name, of === '' ? '' : `, ${of}`)),
  );
}

/** Where there are too many bars for one chart: by what handlers do, or by the store. */
function partsOf(
  cells: readonly LabelledCell[],
): readonly { readonly of: string; readonly cells: readonly LabelledCell[] }[] {
  const setting = ['handler', 'phase', 'workload', 'store'].find((name) =>
    varyingSettings(cells.map(({ workload }) => workload)).includes(name),
  );
  if (cells.length <= BARS_MAX || setting === undefined) return [{ of: '', cells }];
  const values = [...new Set(cells.map(({ workload }) => workload[setting]))];
  return values.map((value) => ({
    of: String(value ?? ''),
    cells: labelled(cells.filter(({ workload }) => workload[setting] === value).map(({ cell }) => cell)),
  }));
}

const BARS_MAX = 16;

function figureChart(cells: readonly LabelledCell[], name: string, suffix: string): Bars {
  const figures = cells.map(({ cell }) => figureOf(cell, name));
  const better = textAt(
    figures.find((figure) => textAt(figure, 'better') !== null),
    'better',
  );
  const rows = cells.flatMap(({ group, label, whose }, n): Bars['rows'] => {
    const values = numbersAt(figures[n], 'values');
    if (values.length === 0) return [];
    const several = values.length > 1;
    return [
      {
        group,
        label,
        whose,
        value: middleOf(values),
        low: several ? Math.min(...values) : null,
        high: several ? Math.max(...values) : null,
      },
    ];
  });
  const groups = [...new Set(rows.map(({ group }) => group))];
  return {
    kind: 'bars',
    title: `${titleOf(name)}${suffix}`,
    unit: unitIn(figures),
    ...(better === 'higher' || better === 'lower' ? { better } : {}),
    rows: groups.flatMap((group) => rows.filter((row) => row.group === group)),
  };
}

/** Rates over a number that took three values or more: workers, concurrency, rate. */
export function scalingCharts(cells: readonly LabelledCell[]): readonly Lines[] {
  const workloads = cells.map(({ workload }) => workload);
  const axes = tellingSettings(workloads).filter(
    (name) => new Set(workloads.flatMap((workload) => numberAt(workload, name) ?? [])).size >= 3,
  );
  const rates = figureNames(cells).filter((name) => name.endsWith('PerSecond'));
  return axes.flatMap((axis) =>
    rates.map((name): Lines => {
      const lines = new Map<string, Point[]>();
      for (const one of cells) {
        const [x, values] = [numberAt(one.workload, axis), numbersAt(figureOf(one.cell, name), 'values')];
        if (x === null || values.length === 0) continue;
        const key = [one.group, one.without(axis)].filter((part) => part !== '').join(', ');
        const point = { x, y: middleOf(values), low: Math.min(...values), high: Math.max(...values) };
        lines.set(
          key,
          [...(lines.get(key) ?? []), point].sort((a, b) => a.x - b.x),
        );
      }
      const series = [...lines].map(([key, points]): Series => ({ name: key, whose: 'own', points }));
      return {
        kind: 'lines',
        title: `${titleOf(name)} by ${wordsOf(axis)}`,
        unit: unitIn(cells.map(({ cell }) => figureOf(cell, name))),
        better: 'higher',
        x: { title: wordsOf(axis), scale: 'log' },
        yScale: 'linear',
        series: series.slice(0, SERIES_MAX),
      };
    }),
  );
}

const SERIES_MAX = 8;

/** A chart for each latency, a line for each cell; where these are many, a chart for each store. */
export function latencyCharts(cells: readonly LabelledCell[], curves: Curves): readonly Lines[] {
  const names = new Set(
    figureNames(cells).flatMap((name) => (name.includes('.p') ? (name.split('.')[0] ?? []) : [])),
  );
  return [...names].flatMap((name) => {
    const own = cells.filter(({ cell }) =>
      figureNames([{ cell }]).some((one) => one.startsWith(`${name}.p`)),
    );
    if (own.length <= SERIES_MAX) return [latencyChart(own, name, '', curves)];
    return [...new Set(own.map(({ group }) => group))].map((group) =>
      latencyChart(own.filter((one) => one.group === group).slice(0, SERIES_MAX), name, group, curves),
    );
  });
}

function latencyChart(cells: readonly LabelledCell[], name: string, group: string, curves: Curves): Lines {
  const alone = new Set(cells.map(({ label }) => label)).size === 1;
  const series = cells.flatMap(({ cell, label, whose, group: of }): Series[] => {
    const encoded = textAt(cell, 'histograms', name);
    const points = curves(encoded === null ? [] : [encoded]) ?? percentilesOf(cell, name);
    const parts = [group === '' ? of : '', alone && of !== '' && group === '' ? '' : label].filter(
      (part) => part !== '',
    );
    return points.length === 0 ? [] : [{ name: parts.join(', '), whose, points }];
  });
  const title = `${titleOf(name)}${group === '' ? '' : ` on ${group}`}`;
  return percentileChart(title, series, 'all rounds together');
}

function percentilesOf(cell: Fields, name: string): Point[] {
  return Object.entries(PERCENTILES).flatMap(([percentile, x]) => {
    const values = numbersAt(figureOf(cell, `${name}.${percentile}`), 'values');
    return values.length === 0 ? [] : [{ x, y: middleOf(values) }];
  });
}

/** Strategy by what handlers do, where both vary. */
export function heatMaps(cells: readonly LabelledCell[]): readonly Heat[] {
  const varying = varyingSettings(cells.map(({ workload }) => workload));
  const column = ['workload', 'handler', 'kind'].find((name) => varying.includes(name));
  if (!varying.includes('strategy') || column === undefined) return [];
  const name = figureNames(cells).find((one) => one.endsWith('PerSecond') && !/^(submit|enqueue)/.test(one));
  if (name === undefined) return [];
  const found = new Map<string, Heat['cells'][number]>();
  for (const { cell, workload } of cells) {
    const values = numbersAt(figureOf(cell, name), 'values');
    const [row, of] = [textAt(workload, 'strategy'), textAt(workload, column)];
    if (row === null || of === null || values.length === 0) continue;
    const value = middleOf(values);
    const before = found.get(`${row} ${of}`);
    if (before === undefined || before.value < value) found.set(`${row} ${of}`, { row, column: of, value });
  }
  return [
    {
      kind: 'heat',
      title: `${titleOf(name)} by strategy and ${wordsOf(column)}`,
      unit: unitIn(cells.map(({ cell }) => figureOf(cell, name))),
      better: 'higher',
      within: 'column',
      cells: [...found.values()],
    },
  ];
}

/** What a cell recorded over time. */
export function seriesCharts(cells: readonly LabelledCell[]): readonly Chart[] {
  const names = new Set(cells.flatMap(({ cell }) => Object.keys(recordAt(cell, 'series'))));
  names.delete('seconds');
  return [...names].map((name): Lines => {
    const series = cells.slice(0, SERIES_MAX).flatMap(({ cell, group, label }): Series[] => {
      const [seconds, values] = [numbersAt(cell, 'series', 'seconds'), numbersAt(cell, 'series', name)];
      const points = values.flatMap((y, n) =>
        seconds[n] === undefined ? [] : [{ x: seconds[n] as number, y }],
      );
      return points.length === 0
        ? []
        : [{ name: [group, label].filter((part) => part !== '').join(', '), whose: 'own', points }];
    });
    return {
      kind: 'lines',
      title: `${titleOf(name)} over time`,
      unit: '',
      x: { title: 's', scale: 'linear' },
      yScale: 'linear',
      series,
    };
  });
}

function figureNames(cells: readonly Pick<LabelledCell, 'cell'>[]): readonly string[] {
  return [...new Set(cells.flatMap(({ cell }) => Object.keys(recordAt(cell, 'figures'))))];
}

function figureOf(cell: Fields, name: string): Fields {
  return recordAt(cell, 'figures', name);
}

function unitIn(figures: readonly Fields[]): string {
  const unit = figures.flatMap((figure) => textAt(figure, 'unit') ?? [])[0] ?? '';
  return unit === '1/s' ? 'jobs/s' : unit;
}

/** `processPerSecond` is "Process", `cpuMicrosPerJob` "Cpu of a job": the unit stands beside it. */
function titleOf(name: string): string {
  const words = wordsOf(
    name.replace(/(PerSecond|Ms|Mb|Micros|Percent|Bytes)$/, '').replace(/(Micros|Bytes)PerJob$/, 'OfAJob'),
  ).trim();
  return words === '' ? name : words.charAt(0).toUpperCase() + words.slice(1);
}
