import type { Spread } from './spread.ts';

/** Plain text columns: the first ones to the left, the others to the right. The first row is the head. */
export function table(rows: readonly (readonly string[])[], toTheLeft = 1): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column < toTheLeft ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(...lines.map((line) => line.length)));
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function formatRate(perSecond: number): string {
  return WHOLE.format(perSecond);
}

export function formatMs(ms: number): string {
  return Number.isNaN(ms) ? '-' : ms.toFixed(ms < 10 ? 2 : 1);
}

export function formatRatio(ratio: number): string {
  return ratio.toFixed(2);
}

/** The cells median, min, max. */
export function spreadCells(values: Spread | undefined, format: (value: number) => string): string[] {
  return values === undefined ? ['-', '-', '-'] : [values.median, values.min, values.max].map(format);
}
