/**
 * The content of a report, as data: which figures, and how they are compared. The report draws it as SVG
 * (html/draw.ts), the page of the dashboard by its own charts, and both give the same figures as a table.
 */
export type Chart = Bars | Lines | Heat | Rows;

interface Common {
  readonly title: string;
  /** Of the values, short: `jobs/s`, `ms`. Empty for ratios. */
  readonly unit: string;
  /** How it was measured, in one sentence. */
  readonly note?: string;
  readonly better?: 'higher' | 'lower';
}

/** Whose figure it is: Longshore's, that of a loop written by hand on the same store, or another system's. */
export type Whose = 'own' | 'ceiling' | 'other';

export interface Bars extends Common {
  readonly kind: 'bars';
  readonly rows: readonly Bar[];
  /** A line across all bars, such as 1 for ratios. */
  readonly mark?: number;
}

export interface Bar {
  /** Bars of one group stand together. Empty: no groups. */
  readonly group: string;
  readonly label: string;
  readonly whose: Whose;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface Lines extends Common {
  readonly kind: 'lines';
  readonly x: Axis;
  readonly yScale: 'linear' | 'log';
  readonly series: readonly Series[];
  readonly mark?: number;
}

export interface Axis {
  readonly title: string;
  /** `percentile`: x is a share from 0 to below 1, drawn by the nines of it. */
  readonly scale: 'linear' | 'log' | 'percentile';
}

export interface Series {
  readonly name: string;
  readonly whose: Whose;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number | null;
  readonly high?: number | null;
}

export interface Heat extends Common {
  readonly kind: 'heat';
  readonly cells: readonly Cell[];
  /** Colours compare the cells of a column, of a row, or all. */
  readonly within: 'column' | 'row' | 'all';
}

export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly value: number;
}

/** What is no figure: targets, systems, what could not be measured. The first row is the head. */
export interface Rows extends Common {
  readonly kind: 'rows';
  readonly rows: readonly (readonly string[])[];
}

export interface Section {
  readonly title: string;
  readonly intro: string;
  readonly charts: readonly Chart[];
}

/** A figure that stands at the top. */
export interface Tile {
  readonly value: string;
  readonly label: string;
}

/** Rows of text, the first one the head: what the chart shows, for those who read rather than look. */
export function tableOf(chart: Chart): readonly (readonly string[])[] {
  if (chart.kind === 'bars') return barTable(chart);
  if (chart.kind === 'rows') return chart.rows;
  return chart.kind === 'lines' ? lineTable(chart) : heatTable(chart);
}

function barTable({ rows, unit }: Bars): string[][] {
  const grouped = rows.some(({ group }) => group !== '');
  const ranged = rows.some(({ low }) => low !== null);
  const head = [...(grouped ? ['group'] : []), 'name', unit || 'value', ...(ranged ? ['from', 'to'] : [])];
  const body = rows.map(({ group, label, value, low, high }) => [
    ...(grouped ? [group] : []),
    label,
    formatNumber(value),
    ...(ranged ? [formatOrDash(low), formatOrDash(high)] : []),
  ]);
  return [head, ...body];
}

function lineTable({ series, x }: Lines): string[][] {
  const xs = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))].sort(
    (a, b) => a - b,
  );
  const shown = xs.length <= ROWS_MAX ? xs : xs.filter((_, n) => n % Math.ceil(xs.length / ROWS_MAX) === 0);
  const named = (value: number): string =>
    x.scale === 'percentile' ? formatPercentile(value) : formatNumber(value);
  return [
    [x.title, ...series.map(({ name }) => name)],
    ...shown.map((value) => [
      named(value),
      ...series.map(({ points }) => formatOrDash(points.find((point) => point.x === value)?.y ?? null)),
    ]),
  ];
}

function heatTable({ cells }: Heat): string[][] {
  const rows = [...new Set(cells.map(({ row }) => row))];
  const columns = [...new Set(cells.map(({ column }) => column))];
  const value = (row: string, column: string): number | null =>
    cells.find((cell) => cell.row === row && cell.column === column)?.value ?? null;
  return [
    ['', ...columns],
    ...rows.map((row) => [row, ...columns.map((column) => formatOrDash(value(row, column)))]),
  ];
}

const ROWS_MAX = 40;

function formatOrDash(value: number | null): string {
  return value === null ? '–' : formatNumber(value);
}

/** Three significant digits, whole numbers from 1,000 on with separators. */
export function formatNumber(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** `0.999` is p99.9. */
export function formatPercentile(share: number): string {
  return share >= 1 ? 'max' : `p${Number((share * 100).toFixed(4))}`;
}
