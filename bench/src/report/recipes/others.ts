import type { Bar, Bars, Chart, Lines, Point, Series } from '../chart.ts';
import { isRecord, measuredAt, numberAt } from '../fields.ts';
import { labelsOf, type Recipe } from '../recipe.ts';
import type { Result } from '../result.ts';
import { unitOf } from '../units.ts';
import { percentileChart, summaryPoints } from './latency.ts';

/**
 * Results of commands without a recipe: figures are found by their form, so that a new measurement is shown from the day it
 * exists. Medians with their range become bars, percentiles become curves, lists over time become lines.
 */
export function others(command: string): Recipe {
  return {
    commands: [command],
    title: command.charAt(0).toUpperCase() + command.slice(1).replaceAll('-', ' '),
    intro: `Figures of ${command}, by the names in its results.`,
    charts: (results): Chart[] => {
      const labels = labelsOf(results);
      return results.flatMap((result, n) => {
        const suffix = results.length > 1 ? `, ${labels[n]}` : '';
        const found = findings(result);
        return [...bars(found, suffix), ...curves(found, suffix), ...overTime(found, suffix)];
      });
    },
  };
}

interface Findings {
  readonly medians: { readonly path: readonly string[]; readonly value: unknown }[];
  readonly summaries: { readonly path: readonly string[]; readonly value: unknown }[];
  readonly lists: {
    readonly path: readonly string[];
    readonly value: readonly Readonly<Record<string, unknown>>[];
  }[];
}

const NOT_FIGURES = [
  'schema',
  'command',
  'startedAt',
  'tookMs',
  'settings',
  'machine',
  'server',
  'runs',
  'checks',
  'calibration',
];

function findings({ document }: Result): Findings {
  const found: Findings = { medians: [], summaries: [], lists: [] };
  for (const [name, value] of Object.entries(document))
    if (!NOT_FIGURES.includes(name)) visit([name], value, found);
  return found;
}

function visit(path: readonly string[], value: unknown, found: Findings): void {
  if (path.length > DEPTH_MAX) return;
  if (Array.isArray(value)) {
    const items = value.filter(isRecord);
    if (items.length > 1 && timeField(items) !== null) found.lists.push({ path, value: items });
    else
      for (const [n, item] of items.entries())
        visit([...path.slice(0, -1), nameOf(item) ?? `${path.at(-1)} ${n + 1}`], item, found);
  } else if (isRecord(value)) {
    if (numberAt(value, 'median') !== null) found.medians.push({ path, value });
    else if (summaryPoints(value).length > 1) found.summaries.push({ path, value });
    else
      for (const [name, inner] of Object.entries(value))
        if (name !== 'runs') visit([...path, name], inner, found);
  } else if (typeof value === 'number' && path.length > 0 && unitOf(path.at(-1) ?? '') !== null)
    found.medians.push({ path, value });
}

const DEPTH_MAX = 8;

function nameOf(item: unknown): string | null {
  if (!isRecord(item)) return null;
  const named = ['name', 'workload', 'shape', 'kind', 'processes', 'concurrency', 'rate'].find(
    (field) => typeof item[field] === 'string' || typeof item[field] === 'number',
  );
  return named === undefined
    ? null
    : typeof item[named] === 'number'
      ? `${named} ${item[named]}`
      : String(item[named]);
}

/** One chart for each name of a figure; `spread` keys are paths of their own. */
function bars({ medians }: Findings, suffix: string): Bars[] {
  const named = medians.map(({ path, value }) => {
    const parts = path[0] === 'spread' ? (path.at(-1) ?? '').split('.') : path;
    return { name: parts.at(-1) ?? '', label: parts.slice(0, -1).join(', ') || (parts.at(-1) ?? ''), value };
  });
  return [...new Set(named.map(({ name }) => name))].slice(0, CHARTS_MAX).map((name) => {
    const rows = named
      .filter((one) => one.name === name)
      .flatMap(({ label, value }): Bar[] => {
        const measured = measuredAt({ value }, 'value');
        return measured === null ? [] : [{ group: '', label, whose: 'own', ...measured }];
      });
    const seen = new Map(rows.map((row) => [row.label, row]));
    return {
      kind: 'bars',
      title: `${wordsOf(name)}${suffix}`,
      unit: unitOf(name) ?? '',
      rows: [...seen.values()].slice(0, ROWS_MAX),
    };
  });
}

const CHARTS_MAX = 24;
const ROWS_MAX = 30;

function curves({ summaries }: Findings, suffix: string): Lines[] {
  const names = [...new Set(summaries.map(({ path }) => path.at(-1) ?? ''))];
  return names.slice(0, CHARTS_MAX).map((name) => {
    const series = summaries
      .filter(({ path }) => path.at(-1) === name)
      .slice(0, SERIES_MAX)
      .map(
        ({ path, value }): Series => ({
          name: path.slice(0, -1).join(', ') || name,
          whose: 'own',
          points: summaryPoints(value),
        }),
      );
    return percentileChart(`${wordsOf(name)}${suffix}`, series, 'by percentile');
  });
}

const SERIES_MAX = 8;

/** A soak's samples: each number of an item over its time. */
function overTime({ lists }: Findings, suffix: string): Lines[] {
  return lists.flatMap(({ path, value }) => {
    const time = timeField(value) ?? '';
    const fields = Object.keys(value[0] ?? {}).filter(
      (field) => field !== time && value.some((item) => numberAt(item, field) !== null),
    );
    return fields.slice(0, CHARTS_MAX).map((field): Lines => {
      const points = value.flatMap((item): Point[] => {
        const [x, y] = [numberAt(item, time), numberAt(item, field)];
        return x === null || y === null ? [] : [{ x, y }];
      });
      return {
        kind: 'lines',
        title: `${wordsOf(field)} over time${suffix}`,
        unit: unitOf(field) ?? '',
        x: { title: /ms$/i.test(time) ? 'ms' : /minutes?$/i.test(time) ? 'min' : 's', scale: 'linear' },
        yScale: 'linear',
        note: path.join(', '),
        series: [{ name: wordsOf(field), whose: 'own', points }],
      };
    });
  });
}

function timeField(items: readonly Readonly<Record<string, unknown>>[]): string | null {
  const names = Object.keys(items[0] ?? {}).filter((name) =>
    /^(at|t|time|elapsed|second|minute|after)(Seconds?|Ms|Minutes?)?s?$/i.test(name),
  );
  return names.find((name) => items.every((item) => numberAt(item, name) !== null)) ?? null;
}

/** `enqueuePerSecond` is "Enqueue per second". */
function wordsOf(name: string): string {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
