import { formatMs, formatRate, table } from '../table.ts';
import type { Cell, KitDocument } from './document.ts';
import { medianOf } from './ratio.ts';

/** The document for people: a line a cell with its main figures, then the targets. */
export function resultTable({ cells, targets, systems }: KitDocument): string {
  const parts = [...new Set(cells.map(({ benchmark }) => benchmark))].map((benchmark) =>
    tableOf(cells.filter((cell) => cell.benchmark === benchmark)),
  );
  const notes = systems.map(
    ({ name, version, durability, retention }) => `${name} ${version}: ${durability} ${retention}`,
  );
  const judged = targets.map(
    ({ name, cell, value, unit, passed }) =>
      `${value === null ? '    ' : passed ? 'PASS' : 'FAIL'}  ${name}: ${value === null ? 'too few samples' : `${value} ${unit}`} (${cell})`,
  );
  return [...parts, judged.join('\n'), notes.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** Of what a cell has, these are shown; the document has all. */
const SHOWN = /PerSecond$|\.(p50|p95|p99)$|Mb$|BytesPerJob$|^cpuMicrosPerJob$|Ms$|Count$/;
const HIDDEN = /^instrument|^acknowledged|^collecting|^loop|^submitCpu/;
const COLUMNS_MAX = 6;

function tableOf(cells: readonly Cell[]): string {
  const names = [...new Set(cells.flatMap(({ figures }) => Object.keys(figures)))]
    .filter((name) => SHOWN.test(name) && !HIDDEN.test(name))
    .slice(0, COLUMNS_MAX);
  const rows = cells.map((cell) => [
    cell.id,
    ...(cell.status === 'done' ? names.map((name) => show(cell, name)) : [`${cell.status}: ${cell.reason}`]),
  ]);
  return table([['', ...names], ...rows]);
}

function show({ figures }: Cell, name: string): string {
  const figure = figures[name];
  if (figure === undefined) return '';
  const median = medianOf(figure.values);
  return figure.unit === 'ms' ? formatMs(median) : formatRate(median);
}
