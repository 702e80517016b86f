import { isRecord, middleOf, numberAt, numbersAt, recordAt, textAt } from './fields.ts';
import type { Fields, Result } from './result.ts';
import { betterOf, unitOf } from './units.ts';

/** A figure of a result, as another result of the same command has it under the same name. */
export interface Figure {
  /** The path in the document: `systems.longshore.processPerSecond`. */
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly value: number;
  /** The slowest and the fastest run; null where the figure is of one run. */
  readonly low: number | null;
  readonly high: number | null;
  /** Runs behind it. */
  readonly runs: number;
  /** Of each round, where the result has them. */
  readonly values: readonly number[];
}

/** In the document's order. What has no unit (a count, a version) is no figure. */
export function figuresOf(result: Result): Figure[] {
  if (result.cells.length > 0) return result.cells.flatMap(figuresOfCell);
  const found = new Map<string, Figure>();
  const runs = numberAt(result.settings, 'repeat') ?? 1;
  const context: Context = { command: result.command, document: result.document, found };
  for (const [key, value] of Object.entries(recordOr(result.document['spread'])))
    take(key.split('.'), value, runs, context);
  for (const [name, value] of Object.entries(result.document))
    if (!NOT_FIGURES.has(name)) visit([name], value, runs, context);
  return [...found.values()];
}

function figuresOfCell(cell: Fields): Figure[] {
  const id = textAt(cell, 'id') ?? '';
  return Object.entries(recordAt(cell, 'figures')).flatMap(([name, figure]): Figure[] => {
    const values = numbersAt(figure, 'values').toSorted((one, other) => one - other);
    const better = textAt(figure, 'better');
    if (values.length === 0 || (better !== 'higher' && better !== 'lower')) return [];
    const several = values.length > 1;
    return [
      {
        name: `${id}: ${name}`,
        unit: textAt(figure, 'unit') ?? '',
        better,
        value: middleOf(values),
        low: several ? (values[0] ?? null) : null,
        high: several ? (values.at(-1) ?? null) : null,
        runs: values.length,
        values,
      },
    ];
  });
}

interface Context {
  readonly command: string;
  readonly document: Fields;
  readonly found: Map<string, Figure>;
}

const NOT_FIGURES = new Set([
  'schema',
  'command',
  'commandLine',
  'startedAt',
  'generatedAt',
  'tookMs',
  'settings',
  'machine',
  'server',
  'spread',
  'runs',
  'checks',
  'calibration',
  'totals',
]);

/** Fields of a scenario that say what is measured. */
const GIVEN = new Set([
  'workSeconds',
  'timeoutSeconds',
  'jobTimeoutMs',
  'elapsedSeconds',
  'leaseMs',
  'blockedSeconds',
]);

const DEPTH_MAX = 10;

function visit(path: readonly string[], value: unknown, runs: number, context: Context): void {
  if (path.length > DEPTH_MAX) return;
  if (Array.isArray(value)) {
    for (const [n, item] of value.entries())
      if (isRecord(item))
        visit([...path, identityOf(item) ?? String(n)], item, numberAt(item, 'repeats') ?? runs, context);
    return;
  }
  if (!isRecord(value)) {
    take(path, value, runs, context);
    return;
  }
  if (numberAt(value, 'median') !== null || isRange(value)) {
    take(path, value, numberAt(value, 'samples') ?? runs, context);
    return;
  }
  for (const [name, inner] of Object.entries(value))
    if (name !== 'runs' && !GIVEN.has(name) && !isWeak(value, name))
      visit([...path, name], inner, runs, context);
}

/** A percentile with few samples beyond it, and the largest of all samples, are a hint of the tail and no measurement. */
function isWeak(summary: Fields, name: string): boolean {
  const weak = summary['weak'];
  return Array.isArray(weak) && (name === 'max' || weak.includes(name));
}

/** `{ ms, min, max }` of a fan-out. */
function isRange(value: Fields): boolean {
  return numberAt(value, 'ms') !== null && numberAt(value, 'min') !== null && numberAt(value, 'max') !== null;
}

function take(path: readonly string[], value: unknown, runs: number, { command, found }: Context): void {
  const name = path.join('.');
  if (found.has(name)) return;
  const middle = typeof value === 'number' ? value : (numberAt(value, 'median') ?? numberAt(value, 'ms'));
  if (middle === null || !Number.isFinite(middle)) return;
  const named = path.at(-1) ?? '';
  // For a pair such as `ratio.enqueue` the whole path names the unit.
  const telling = unitOf(named) === null ? path.toReversed().find((part) => unitOf(part) !== null) : named;
  if (telling === undefined) return;
  const ranged = typeof value !== 'number' && runs > 1;
  found.set(name, {
    name,
    unit: unitOf(telling) ?? '',
    better: direction(command, name) ?? betterOf(telling) ?? 'higher',
    value: middle,
    low: ranged ? numberAt(value, 'min') : null,
    high: ranged ? numberAt(value, 'max') : null,
    runs,
    values: [],
  });
}

/** Ratios of times, of which less is better, unlike ratios of rates. */
const RATIOS_OF_TIMES: readonly (readonly [string, RegExp])[] = [
  ['flows', /\.ratio\.(endToEndMs|edgeMs|fanOut)\./],
];

function direction(command: string, name: string): 'lower' | null {
  return RATIOS_OF_TIMES.some(([of, pattern]) => of === command && pattern.test(name)) ? 'lower' : null;
}

/** The items of a list are known by what they are of, so that lists in another order compare. */
function identityOf(item: Fields): string | null {
  const parts = ['phase', 'name', 'system', 'workload', 'shape', 'kind', 'processes', 'concurrency', 'rate']
    .filter((field) => typeof item[field] === 'string' || typeof item[field] === 'number')
    .map((field) => (typeof item[field] === 'number' ? `${field} ${item[field]}` : String(item[field])));
  const named = parts.slice(0, 'name' in item ? 2 : 3);
  return named.length === 0 ? null : named.join(' / ');
}

function recordOr(value: unknown): Fields {
  return isRecord(value) ? value : {};
}
