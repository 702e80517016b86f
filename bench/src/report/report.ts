import type { Chart, Section, Tile } from './chart.ts';
import type { Curves, Recipe } from './recipe.ts';
import { cellSections, cellTiles } from './recipes/cells.ts';
import { others } from './recipes/others.ts';
import { work } from './recipes/work.ts';
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
  const [kit, byCommand] = [results.filter(isOfCells), results.filter((result) => !isOfCells(result))];
  const sections: Section[] = [...cellSections(kit, curves)];
  for (const recipe of recipesFor(byCommand)) {
    const own = byCommand.filter(({ command }) => recipe.commands.includes(command));
    if (own.length === 0) continue;
    sections.push({ title: recipe.title, intro: recipe.intro, charts: recipe.charts(own) });
  }
  const shown = sections.map((section) => ({ ...section, charts: section.charts.filter(hasFigures) }));
  return { tiles: cellTiles(kit), sections: shown.filter(({ charts }) => charts.length > 0) };
}

function isOfCells({ cells }: Result): boolean {
  return cells.length > 0;
}

function recipesFor(results: readonly Result[]): readonly Recipe[] {
  const commands = [...new Set(results.map(({ command }) => command))];
  return [work, ...commands.filter((command) => !work.commands.includes(command)).map(others)];
}

function hasFigures(chart: Chart): boolean {
  if (chart.kind === 'bars') return chart.rows.length > 0;
  if (chart.kind === 'rows') return chart.rows.length > 1;
  return chart.kind === 'lines'
    ? chart.series.some(({ points }) => points.length > 0)
    : chart.cells.length > 0;
}
