import { type Chart, formatNumber, type Series } from '../chart.ts';
import { itemsAt, measuredAt, numberAt } from '../fields.ts';
import { labelsOf, type Recipe, storeName } from '../recipe.ts';
import type { Result } from '../result.ts';

/** Several worker processes on one queue. */
export const fleet: Recipe = {
  commands: ['fleet'],
  title: 'Scaling with workers',
  intro:
    'Worker processes empty one queue together, with jobs that do nothing. On a machine whose cores are all busy with one process, more of them only share what there is.',
  charts: (results): Chart[] => {
    const labels = labelsOf(results);
    const series = (field: string): Series[] =>
      results.map((result, n) => ({ name: labels[n] ?? '', whose: 'own', points: pointsOf(result, field) }));
    const x = { title: 'worker processes', scale: 'log' } as const;
    return [
      {
        kind: 'lines',
        title: 'Rate by worker processes',
        unit: 'jobs/s',
        better: 'higher',
        x,
        yScale: 'linear',
        series: series('processPerSecond'),
      },
      {
        kind: 'lines',
        title: 'Over one process',
        unit: '',
        better: 'higher',
        mark: 1,
        x,
        yScale: 'linear',
        series: series('ratioToFirst'),
      },
    ];
  },
  tiles: (results) =>
    results.flatMap((result) => {
      const last = itemsAt(result.document, 'fleets').at(-1);
      const ratio = numberAt(last, 'ratioToFirst', 'median');
      if (ratio === null) return [];
      return [
        {
          value: `× ${formatNumber(ratio)}`,
          label: `with ${numberAt(last, 'processes')} worker processes on ${storeName(result)}`,
        },
      ];
    }),
};

function pointsOf({ document }: Result, field: string): Series['points'] {
  return itemsAt(document, 'fleets').flatMap((item) => {
    const x = numberAt(item, 'processes');
    const found = measuredAt(item, field);
    return x === null || found === null ? [] : [{ x, y: found.value, low: found.low, high: found.high }];
  });
}
