import type { Chart, Section, Tile } from './chart.ts';
import type { Curves } from './labels.ts';
import { cellSections, cellTiles } from './recipes/cells.ts';
import { otherSection } from './recipes/others.ts';
import { withWorkCells } from './recipes/work-cells.ts';
import type { Result } from './result.ts';

/**
 * The content of any number of results, as data: a section for each kind of measurement. `report` draws it as a page of its own,
 * the page of the dashboard with its own charts.
 */
export interface Report {
  readonly tiles: readonly Tile[];
  readonly sections: readonly Section[];
}

/** `curves` decodes histograms; without it, curves have the few points of the summaries. */
export function reportOf(results: readonly Result[], curves: Curves = () => null): Report {
  const all = results.map(withWorkCells);
  const [kit, byCommand] = [all.filter(isOfCells), all.filter((result) => !isOfCells(result))];
  const commands = [...new Set(byCommand.map(({ command }) => command))];
  const sections: readonly Section[] = [
    ...cellSections(kit, curves),
    ...commands.map((name) => otherSection(byCommand.filter(({ command }) => command === name))),
  ];
  const shown = sections.map((section) => ({ ...section, charts: section.charts.filter(hasFigures) }));
  return { tiles: cellTiles(kit), sections: shown.filter(({ charts }) => charts.length > 0) };
}

function isOfCells({ cells }: Result): boolean {
  return cells.length > 0;
}

function hasFigures(chart: Chart): boolean {
  if (chart.kind === 'bars') return chart.rows.length > 0;
  if (chart.kind === 'rows') return chart.rows.length > 1;
  return chart.kind === 'lines'
    ? chart.series.some(({ points }) => points.length > 0)
    : chart.cells.length > 0;
}
