import type { Section, Tile } from './chart.ts';
import type { Curves, Recipe } from './recipe.ts';
import { flows } from './recipes/flows.ts';
import { latency } from './recipes/latency.ts';
import { others } from './recipes/others.ts';
import { idle, lanes, memory, queuedBytes, verbs, wear } from './recipes/resources.ts';
import { fleet } from './recipes/scaling.ts';
import { burndown, versus } from './recipes/throughput.ts';
import { work } from './recipes/work.ts';
import type { Result } from './result.ts';

/** In the order in which a report shows them. */
const RECIPES: readonly Recipe[] = [
  versus,
  burndown,
  latency,
  fleet,
  verbs,
  work,
  lanes,
  flows,
  memory,
  queuedBytes,
  idle,
  wear,
];

/**
 * What any number of results show, as data: a section for each kind of measurement. `report` draws it as a page of its own,
 * the page of the dashboard with its own charts.
 */
export interface Report {
  readonly tiles: readonly Tile[];
  readonly sections: readonly Section[];
}

/** `curves` decodes histograms; without it, curves have the few points of the summaries. */
export function reportOf(results: readonly Result[], curves: Curves = () => null): Report {
  const sections: Section[] = [];
  const tiles: Tile[] = [];
  for (const recipe of recipesFor(results)) {
    const own = results.filter(({ command }) => recipe.commands.includes(command));
    if (own.length === 0) continue;
    const charts = recipe.charts(own, curves).filter(hasFigures);
    if (charts.length > 0) sections.push({ title: recipe.title, intro: recipe.intro, charts });
    tiles.push(...(recipe.tiles?.(own) ?? []).slice(0, TILES_EACH));
  }
  return { tiles: tiles.slice(0, TILES_MAX), sections };
}

const TILES_MAX = 10;
const TILES_EACH = 3;

function recipesFor(results: readonly Result[]): readonly Recipe[] {
  const known = new Set(RECIPES.flatMap(({ commands }) => commands));
  const unknown = [...new Set(results.map(({ command }) => command))].filter(
    (command) => !known.has(command),
  );
  return [...RECIPES, ...unknown.map(others)];
}

function hasFigures(chart: Section['charts'][number]): boolean {
  if (chart.kind === 'bars') return chart.rows.length > 0;
  return chart.kind === 'lines'
    ? chart.series.some(({ points }) => points.length > 0)
    : chart.cells.length > 0;
}
