import { ratioOf } from '../../kit/ratio.ts';
import type { Bars } from '../chart.ts';
import { numbersAt, recordAt } from '../fields.ts';
import { systemLabel } from '../labels.ts';
import type { Fields } from '../result.ts';
import { type LabelledCell, tellingSettings } from './cell-labels.ts';

/** Longshore's rate over that of each other system under the same workload, with the interval of the rank-sum test. */
export function ratioCharts(cells: readonly LabelledCell[]): readonly Bars[] {
  const names = ['processPerSecond', 'runsPerSecond', 'ratePerSecond'];
  const told = tellingSettings(cells.map(({ workload }) => workload)).filter((name) => name !== 'system');
  return names.flatMap((name): Bars[] => {
    const rows = cells
      .filter(({ whose }) => whose !== 'own')
      .flatMap((other): Bars['rows'] => {
        const own = cells.find(
          (one) =>
            one.system === 'longshore' &&
            told.every((setting) => one.workload[setting] === other.workload[setting]),
        );
        const [ours, theirs] = [own?.cell, other.cell].map((cell) => valuesOf(cell, name)) as [
          number[],
          number[],
        ];
        if (ours.length === 0 || theirs.length === 0) return [];
        const { ratio, low, high } = ratioOf(ours, theirs);
        const several = ours.length > 1 && theirs.length > 1;
        const group = told
          .map((setting) => String(other.workload[setting] ?? ''))
          .filter((part) => part !== '');
        return [
          {
            group: group.join(', '),
            label: `over ${systemLabel(other.system)}`,
            whose: other.whose === 'ceiling' ? 'ceiling' : 'own',
            value: ratio,
            low: several ? low : null,
            high: several ? high : null,
          },
        ];
      });
    const groups = [...new Set(rows.map(({ group }) => group))];
    if (rows.length === 0) return [];
    return [
      {
        kind: 'bars',
        title: "Longshore's rate, times the other's",
        unit: '',
        better: 'higher',
        mark: 1,
        note: 'with the interval of the rank-sum test',
        rows: groups.flatMap((group) => rows.filter((row) => row.group === group)),
      },
    ];
  });
}

function valuesOf(cell: Fields | undefined, name: string): number[] {
  return numbersAt(recordAt(cell, 'figures', name), 'values').filter((value) => value > 0);
}
