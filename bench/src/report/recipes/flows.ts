import type { Bar, Bars, Chart, Lines, Series } from '../chart.ts';
import { at, measuredAt, numberAt, recordAt } from '../fields.ts';
import { labelsOf, OWN, type Recipe } from '../recipe.ts';
import type { Result } from '../result.ts';
import { percentileChart, summaryPoints } from './latency.ts';

/** Runs of flows: end to end by shape, many at once, and fan-outs. */
export const flows: Recipe = {
  commands: ['flows'],
  title: 'Flows',
  intro:
    'Runs of every shape at a steady rate from intended start times, many runs at once, and fan-outs with a join.',
  charts: (results) => {
    const labels = labelsOf(results);
    return results.flatMap((result, n): Chart[] => {
      const label = labels[n] ?? '';
      return [
        ...shapeChart(result, label, 'endToEndMs', 'From the intended start to the result'),
        ...shapeChart(result, label, 'edgeMs', "From a step's last parent to its own start"),
        bursts(result, label),
        fanOuts(result, label),
      ].filter((chart) => (chart.kind === 'bars' ? chart.rows : chart.series).length > 0);
    });
  },
};

function shapeChart(result: Result, label: string, field: string, title: string): Lines[] {
  const series = Object.entries(recordAt(result.document, 'shapes')).flatMap(([shape, figures]): Series[] => {
    const points = summaryPoints(at(figures, field));
    return points.length === 0 ? [] : [{ name: shape, whose: 'own', points }];
  });
  return series.length === 0
    ? []
    : [
        percentileChart(
          `${title}, ${label}`,
          series,
          `${String(result.settings['rate'])} runs/s of each shape`,
        ),
      ];
}

/** Longshore's figures first, then those of each other system. */
function systemsOf({ document }: Result): readonly (readonly [string, unknown])[] {
  return [[OWN, document], ...Object.entries(recordAt(document, 'rivals'))];
}

function bursts(result: Result, label: string): Bars {
  const rows = systemsOf(result).flatMap(([system, figures]) =>
    Object.entries(recordAt(figures, 'burst')).flatMap(([shape, burst]): Bar[] => {
      const found = measuredAt(burst, 'runsPerSecond');
      return found === null
        ? []
        : [{ group: shape, label: system, whose: system === OWN ? 'own' : 'other', ...found }];
    }),
  );
  const shapes = [...new Set(rows.map(({ group }) => group))];
  return {
    kind: 'bars',
    title: `Many runs at once, ${label}`,
    unit: 'runs/s',
    better: 'higher',
    rows: shapes.flatMap((shape) => rows.filter(({ group }) => group === shape)),
  };
}

function fanOuts(result: Result, label: string): Lines {
  const series = systemsOf(result).flatMap(([system, figures]): Series[] => {
    const points = Object.entries(recordAt(figures, 'fanOut'))
      .flatMap(([items, times]) => {
        const y = numberAt(times, 'ms');
        return y === null
          ? []
          : [{ x: Number(items), y, low: numberAt(times, 'min'), high: numberAt(times, 'max') }];
      })
      .sort((a, b) => a.x - b.x);
    return points.length === 0 ? [] : [{ name: system, whose: system === OWN ? 'own' : 'other', points }];
  });
  return {
    kind: 'lines',
    title: `One run with a fan-out and a join, ${label}`,
    unit: 'ms',
    better: 'lower',
    x: { title: 'items', scale: 'log' },
    yScale: 'log',
    series,
  };
}
