import type { Format, Paint } from '../telemetry/terminal.ts';
import { printable, truncate, width } from './text.ts';

/** Tables for terminals: aligned, never wider than the screen where that can be helped, ids never cut. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  readonly format?: (row: Row) => Format | null;
  /** May be cut down to its title or FLEXIBLE_MIN columns, whichever is wider. */
  readonly flexible?: boolean;
  /** May be left out where the screen is too narrow; the column with the highest number goes first. */
  readonly optional?: number;
}

const GAP = '  ';
const FLEXIBLE_MIN = 10;
/** Where there is no screen to fit into, flexible columns (inputs, lists) still end somewhere. */
const FLEXIBLE_MAX = 120;

export interface TableOptions {
  /** Columns of the screen; null when the output is no terminal. */
  readonly width: number | null;
  readonly titles: boolean;
  readonly paint: Paint;
}

export function tableLines<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions,
): string[] {
  const cells = new Map(all.map((column) => [column, rows.map((row) => printable(column.value(row)))]));
  const wants = new Map(all.map((column) => [column, wanted(column, cells.get(column) ?? [])]));
  const columns = choose(all, wants, options.width);
  const widths = fit(columns, wants, options.width);
  const line = (
    textOf: (column: Column<Row>) => string,
    formatOf: (column: Column<Row>) => Format | null,
  ): string =>
    columns
      .map((column, index) => {
        const columnWidth = widths.get(column) ?? 0;
        const text = truncate(textOf(column), columnWidth);
        const space = ' '.repeat(Math.max(0, columnWidth - width(text)));
        const format = formatOf(column);
        const painted = format === null ? text : options.paint(format, text);
        if (column.align === 'right') return space + painted;
        return index === columns.length - 1 ? painted : painted + space;
      })
      .join(GAP)
      .trimEnd();
  const body = rows.map((row, index) =>
    line(
      (column) => cells.get(column)?.[index] ?? '',
      (column) => column.format?.(row) ?? null,
    ),
  );
  return options.titles
    ? [
        line(
          (column) => column.title,
          () => 'bold',
        ),
        ...body,
      ]
    : body;
}

function wanted<Row>(column: Column<Row>, cells: readonly string[]): number {
  const natural = cells.reduce((widest, cell) => Math.max(widest, width(cell)), width(column.title));
  return column.flexible ? Math.min(natural, FLEXIBLE_MAX) : natural;
}

function least<Row>(column: Column<Row>, want: number): number {
  return column.flexible ? Math.min(want, Math.max(FLEXIBLE_MIN, width(column.title))) : want;
}

type Widths<Row> = ReadonlyMap<Column<Row>, number>;

/** Leaves optional columns out until the rest fits at its least width. */
function choose<Row>(all: readonly Column<Row>[], wants: Widths<Row>, screen: number | null): Column<Row>[] {
  const chosen = [...all];
  if (screen === null) return chosen;
  const needed = (): number =>
    chosen.reduce(
      (sum, column) => sum + least(column, wants.get(column) ?? 0),
      GAP.length * (chosen.length - 1),
    );
  while (needed() > screen) {
    const rank = Math.max(...chosen.map(({ optional = 0 }) => optional));
    if (rank === 0) break;
    chosen.splice(
      chosen.findIndex(({ optional }) => optional === rank),
      1,
    );
  }
  return chosen;
}

/** Takes what is too much from the widest flexible columns. */
function fit<Row>(columns: readonly Column<Row>[], wants: Widths<Row>, screen: number | null): Widths<Row> {
  const widths = new Map(columns.map((column) => [column, wants.get(column) ?? 0]));
  if (screen === null) return widths;
  const total = (): number =>
    [...widths.values()].reduce((sum, one) => sum + one, GAP.length * (columns.length - 1));
  while (total() > screen) {
    const shrinkable = columns.filter(
      (column) => (widths.get(column) ?? 0) > least(column, wants.get(column) ?? 0),
    );
    const [widest] = shrinkable.sort((a, b) => (widths.get(b) ?? 0) - (widths.get(a) ?? 0));
    if (widest === undefined) break;
    widths.set(widest, (widths.get(widest) ?? 0) - 1);
  }
  return widths;
}
