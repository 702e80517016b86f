import { type Chart, formatNumber, type Lines, type Point, type Series } from '../chart.ts';
import { at, itemsAt, numberAt, recordAt, textAt } from '../fields.ts';
import { type Curves, labelsOf, OWN, type Recipe, storeName } from '../recipe.ts';
import type { Result } from '../result.ts';

/** Percentile curves from the intended send time, so that a stall counts against every job it delayed. */
export const latency: Recipe = {
  commands: ['latency'],
  title: 'Latency',
  intro:
    'Jobs are sent at a steady rate. Time runs from the moment a job was meant to be sent until its handler starts, so a stall counts against every job it held up. The axis of percentiles stretches the tail.',
  charts: (results, curves) => {
    const labels = labelsOf(results);
    return results.flatMap((result, n): Chart[] => {
      const { rate, seconds } = result.settings;
      const note = `${String(rate)} jobs/s for ${String(seconds)} s`;
      const chart = (title: string, series: readonly Series[]): Lines[] =>
        series.length === 0 ? [] : [percentileChart(`${title} on ${labels[n]}`, series, note)];
      return [
        ...chart('From the intended send time to the handler', pickups(result, curves)),
        ...chart('Until an enqueue is acknowledged', acknowledgements(result, curves)),
      ];
    });
  },
  tiles: (results) =>
    results.flatMap((result) => {
      const p99 = numberAt(result.document, 'pickup', 'twoProcesses', 'p99');
      if (p99 === null) return [];
      return [
        {
          value: `${formatNumber(p99)} ms`,
          label: `p99 from the intended send time to the handler on ${storeName(result)}`,
        },
      ];
    }),
};

export function percentileChart(title: string, series: readonly Series[], note: string): Lines {
  return {
    kind: 'lines',
    title,
    unit: 'ms',
    better: 'lower',
    note,
    x: { title: 'percentile', scale: 'percentile' },
    yScale: 'log',
    series,
  };
}

const PLACES = [
  ['oneProcess', 'one process'],
  ['twoProcesses', 'two processes'],
] as const;

function pickups(result: Result, curves: Curves): Series[] {
  const { document } = result;
  const own = PLACES.filter(([place]) => at(document, 'pickup', place) !== null);
  return [
    ...own.flatMap(([place, words]) =>
      seriesOf(
        own.length === 1 ? OWN : `${OWN}, ${words}`,
        'own',
        at(document, 'pickup', place),
        histograms(result, place, 'pickup'),
        curves,
      ),
    ),
    ...Object.entries(recordAt(document, 'rivals')).flatMap(([rival, summary]) =>
      seriesOf(rival, 'other', summary, histograms(result, 'rivals', rival, 'pickup'), curves),
    ),
    ...seriesOf(
      'a bare notification',
      'ceiling',
      at(document, 'handover'),
      histograms(result, 'handover'),
      curves,
    ),
    ...seriesOf('a bare commit', 'ceiling', at(document, 'commit'), histograms(result, 'commit'), curves),
  ];
}

function acknowledgements(result: Result, curves: Curves): Series[] {
  const { document } = result;
  return PLACES.flatMap(([place, words]) =>
    seriesOf(
      `${OWN}, ${words}`,
      'own',
      at(document, 'acknowledgement', place),
      histograms(result, place, 'acknowledgement'),
      curves,
    ),
  );
}

function histograms({ document }: Result, ...path: readonly string[]): string[] {
  return itemsAt(document, 'runs').flatMap((run) => textAt(run, ...path, 'histogram') ?? []);
}

/** By the histograms of all runs, or by the few percentiles of the summary where they cannot be read. */
export function seriesOf(
  name: string,
  whose: Series['whose'],
  summary: unknown,
  encoded: readonly string[],
  curves: Curves,
): Series[] {
  const points = curves(encoded) ?? summaryPoints(summary);
  return points.length === 0 ? [] : [{ name, whose, points }];
}

const SUMMARY = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
] as const;

export function summaryPoints(summary: unknown): Point[] {
  return SUMMARY.flatMap(([field, x]) => {
    const y = numberAt(summary, field);
    return y === null ? [] : [{ x, y }];
  });
}
