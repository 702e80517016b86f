import * as Plot from '@observablehq/plot';
import { formatNumber, type Heat } from '../chart.ts';
import { type Drawn, plot, textWidth } from './plot.ts';

export function heat({ cells, within, unit }: Heat, width: number): Drawn {
  const rows = [...new Set(cells.map(({ row }) => row))];
  const columns = [...new Set(cells.map(({ column }) => column))];
  const best = (cell: Heat['cells'][number]): number =>
    Math.max(
      ...cells
        .filter((other) => within === 'all' || other[within] === cell[within])
        .map(({ value }) => value),
    );
  const drawn = cells.map((cell) => ({ ...cell, share: cell.value / (best(cell) || 1) }));
  const labelWidth = textWidth(rows, 40, width * 0.3);
  return plot({
    width,
    height: 40 + rows.length * 44,
    marginLeft: labelWidth + 14,
    marginRight: 8,
    marginTop: 30,
    marginBottom: 8,
    x: { domain: columns, label: null, axis: 'top', tickSize: 0, padding: 0.04 },
    y: { domain: rows, label: null, tickSize: 0, padding: 0.06 },
    marks: [
      Plot.cell(drawn, {
        x: 'column',
        y: 'row',
        fill: 'var(--own)',
        fillOpacity: ({ share }: (typeof drawn)[number]) => 0.1 + 0.8 * share,
        rx: 4,
        title: ({ row, column, value }: (typeof drawn)[number]) =>
          `${row}, ${column}: ${formatNumber(value)} ${unit}`,
      }),
      Plot.text(drawn, {
        x: 'column',
        y: 'row',
        text: ({ value }: (typeof drawn)[number]) => formatNumber(value),
        fill: ({ share }: (typeof drawn)[number]) => (share > 0.55 ? 'var(--on-own)' : 'currentColor'),
        fontWeight: 600,
      }),
    ],
  });
}
