import type { Bar, Bars, Lines, Point, Section, Series } from '../chart.ts';
import { isRecord, numberAt } from '../fields.ts';
import { figuresOf } from '../figures.ts';
import { labelsOf } from '../labels.ts';
import type { Result } from '../result.ts';
import { unitOf } from '../units.ts';
import { percentileChart, summaryPoints } from './percentiles.ts';

/**
 * Results without cells, by command: figures are found by their form, so that a new measurement is shown from the day it
 * exists. Figures become bars with their range, percentiles become curves, lists over time become lines.
 */
export function otherSection(results: readonly Result[]): Section {
  const labels = labelsOf(results);
  const several = results.length > 1;
  const command = results[0]?.command ?? '';
  return {
    title: wordsOf(command).replaceAll('-', ' '),
    intro: `Figures of ${command}, by the names in its results.`,
    charts: [
      ...bars(results, several ? labels : ['']),
      ...results.flatMap((result, n) => {
        const found = findings(result);
        const suffix = several ? `, ${labels[n]}` : '';
        return [...curves(found, suffix), ...overTime(found, suffix)];
      }),
    ],
  };
}

interface Named {
  readonly title: string;
  readonly path: readonly string[];
  readonly bar: Omit<Bar, 'label'>;
}

/** A chart for each name of a figure, with a group for each result. */
function bars(results: readonly Result[], groups: readonly string[]): Bars[] {
  const named = results.flatMap((result, n) => {
    const { lists } = findings(result);
    return figuresOf(result).flatMap(({ name, value, low, high }): Named[] => {
      const parts = name.split('.');
      const isDrawnElsewhere =
        parts.some((part) => /^p\d+$|^max$|^mean$/.test(part)) ||
        lists.some((list) => name.startsWith(`${list.path.join('.')}.`));
      if (isDrawnElsewhere) return [];
      const title = parts.findLast((part) => unitOf(part) !== null) ?? '';
      const whose = parts.includes('rivals') ? 'other' : 'own';
      const path = parts.filter((part) => part !== title);
      return [{ title, path, bar: { group: groups[n] ?? '', whose, value, low, high } }];
    });
  });
  return [...new Set(named.map(({ title }) => title))].slice(0, CHARTS_MAX).map((title) => {
    const own = named.filter((one) => one.title === title);
    const [first = [], ...paths] = own.map(({ path }) => path);
    const shared = first.findIndex((part, n) => paths.some((path) => path[n] !== part));
    const from = paths.length === 0 ? 0 : shared < 0 ? first.length : shared;
    const rows = own.map(({ path, bar }) => ({
      ...bar,
      label: path.slice(from).join(', ') || path.at(-1) || title,
    }));
    return { kind: 'bars', title: wordsOf(title), unit: unitOf(title) ?? '', rows: rows.slice(0, ROWS_MAX) };
  });
}

const CHARTS_MAX = 24;
const ROWS_MAX = 30;

interface Findings {
  readonly summaries: { readonly path: readonly string[]; readonly value: unknown }[];
  readonly lists: {
    readonly path: readonly string[];
    readonly value: readonly Readonly<Record<string, unknown>>[];
  }[];
}

const NOT_FIGURES = ['settings', 'machine', 'server', 'runs', 'checks', 'calibration'];

function findings({ document }: Result): Findings {
  const found: Findings = { summaries: [], lists: [] };
  visit([], document, found);
  return found;
}

function visit(path: readonly string[], value: unknown, found: Findings): void {
  if (path.length > DEPTH_MAX) return;
  if (Array.isArray(value)) {
    const items = value.filter(isRecord);
    if (items.length > 1 && timeField(items) !== null) found.lists.push({ path, value: items });
    else for (const [n, item] of items.entries()) visit([...path, String(n + 1)], item, found);
  } else if (isRecord(value)) {
    if (summaryPoints(value).length > 1) found.summaries.push({ path, value });
    else
      for (const [name, inner] of Object.entries(value))
        if (!NOT_FIGURES.includes(name)) visit([...path, name], inner, found);
  }
}

const DEPTH_MAX = 8;

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
