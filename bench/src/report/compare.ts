import { numberAt, textAt } from './fields.ts';
import { type Figure, figuresOf } from './figures.ts';
import type { Fields, Result } from './result.ts';

/** The results are of unlike machines, settings or commands; the message names what differs and how to go on. */
export class NotComparable extends Error {
  override readonly name = 'NotComparable';
}

export interface CompareOptions {
  /** Percent by which a figure may be worse, where it is so for certain; default: any loss passes. */
  readonly maxLoss?: number;
  /** Only figures whose name contains this. */
  readonly figures?: string;
  readonly anyMachine?: boolean;
  readonly anySettings?: boolean;
}

export interface Comparison {
  readonly schema: 'longshore-bench-comparison/1';
  readonly command: string;
  readonly before: Side;
  readonly after: Side;
  /** Percent; null where none was asked for. */
  readonly maxLoss: number | null;
  readonly passed: boolean;
  readonly figures: readonly ComparedFigure[];
  /** Names that only one of both has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** What differs of machines and settings, in words. */
  readonly differences: readonly string[];
}

export interface Side {
  readonly file: string;
  readonly startedAt: string;
  readonly commit: string | null;
}

export interface ComparedFigure {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly before: number;
  readonly after: number;
  /** After over before. */
  readonly ratio: number;
  /** Of the ratio; null where one of both is of a single run. */
  readonly low: number | null;
  readonly high: number | null;
  /** Probability that a range from the slowest to the fastest of so many runs holds the median, for the fewer runs of both. */
  readonly coverage: number | null;
  readonly verdict: Verdict;
  /** Whether it is worse by more than `maxLoss`, for certain. */
  readonly failed: boolean;
}

/**
 * `better`, `worse`: the interval of the ratio leaves out 1. `same`: it holds 1 and is within 5 % of it. `unclear`: it holds 1 and
 * is wider: measure more. `one run`: there is no interval.
 */
export type Verdict = 'better' | 'worse' | 'same' | 'unclear' | 'one run';

const SAME_WITHIN = 0.05;

/** Throws NotComparable. */
export function compareResults(before: Result, after: Result, options: CompareOptions = {}): Comparison {
  const differences = differencesOf(before, after, options);
  const [old, fresh] = [before, after].map(
    (result) => new Map(figuresOf(result).map((one) => [one.name, one])),
  ) as [Map<string, Figure>, Map<string, Figure>];
  const wanted = (name: string): boolean => name.includes(options.figures ?? '');
  const { maxLoss = null } = options;
  const figures = [...old.values()].flatMap((one): ComparedFigure[] => {
    const other = fresh.get(one.name);
    return other === undefined || !wanted(one.name) ? [] : [compared(one, other, maxLoss)];
  });
  if (figures.length === 0)
    throw new NotComparable(
      `${before.name} and ${after.name} share no figure${options.figures === undefined ? '' : ` whose name contains ${JSON.stringify(options.figures)}`}; names are paths in the results, such as ${[...old.keys()][0] ?? 'processPerSecond'}`,
    );
  return {
    schema: 'longshore-bench-comparison/1',
    command: before.command,
    before: sideOf(before),
    after: sideOf(after),
    maxLoss,
    passed: !figures.some(({ failed }) => failed),
    figures,
    onlyBefore: [...old.keys()].filter((name) => wanted(name) && !fresh.has(name)),
    onlyAfter: [...fresh.keys()].filter((name) => wanted(name) && !old.has(name)),
    differences,
  };
}

function sideOf({ name, startedAt, machine }: Result): Side {
  return { file: name, startedAt, commit: textAt(machine, 'commit') };
}

function compared(before: Figure, after: Figure, maxLoss: number | null): ComparedFigure {
  const { name, unit, better } = before;
  const ratio = after.value / before.value;
  const interval = intervalOf(before, after);
  const verdict = verdictOf(interval, better);
  const loss = better === 'higher' ? 1 - ratio : 1 - 1 / ratio;
  return {
    name,
    unit,
    better,
    before: before.value,
    after: after.value,
    ratio: rounded(ratio),
    low: interval === null ? null : rounded(interval.low),
    high: interval === null ? null : rounded(interval.high),
    coverage: interval === null ? null : 1 - 2 ** (1 - Math.min(before.runs, after.runs)),
    verdict,
    failed: maxLoss !== null && verdict === 'worse' && loss * 100 > maxLoss,
  };
}

/**
 * The interval of a ratio of two medians. Each median's is the range of its runs, which holds the true one with a
 * probability of 1 - 2^(1 - n) (order statistics). Both are put together on the logarithms by the method of variance estimates
 * recovery (Zou and Donner 2008), which needs no assumption on how runs are spread, nor that ranges are symmetric.
 */
function intervalOf(before: Figure, after: Figure): { readonly low: number; readonly high: number } | null {
  if (!hasRange(before) || !hasRange(after)) return null;
  const [b, bLow, bHigh] = [before.value, before.low, before.high].map(Math.log) as [number, number, number];
  const [a, aLow, aHigh] = [after.value, after.low, after.high].map(Math.log) as [number, number, number];
  const difference = a - b;
  return {
    low: Math.exp(difference - Math.hypot(a - aLow, bHigh - b)),
    high: Math.exp(difference + Math.hypot(aHigh - a, b - bLow)),
  };
}

function hasRange(figure: Figure): figure is Figure & { readonly low: number; readonly high: number } {
  return figure.low !== null && figure.high !== null && figure.low > 0 && figure.value > 0 && figure.runs > 1;
}

function verdictOf(
  interval: { readonly low: number; readonly high: number } | null,
  better: 'higher' | 'lower',
): Verdict {
  if (interval === null) return 'one run';
  const { low, high } = interval;
  if (low > 1) return better === 'higher' ? 'better' : 'worse';
  if (high < 1) return better === 'higher' ? 'worse' : 'better';
  return low >= 1 - SAME_WITHIN && high <= 1 + SAME_WITHIN ? 'same' : 'unclear';
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Of the machine, what figures depend on. Node and the sources may be what is compared, so they are only told. */
const MACHINE = ['cpu', 'cores', 'platform', 'filesystem'];
const TOLD = ['node', 'longshore', 'commit'];

function differencesOf(
  before: Result,
  after: Result,
  { anyMachine = false, anySettings = false }: CompareOptions,
): string[] {
  if (before.command !== after.command)
    throw new NotComparable(
      `${before.name} is of the command ${before.command}, ${after.name} of ${after.command}; compare two results of one command`,
    );
  const machines = [
    ...unlike(MACHINE, before.machine, after.machine),
    ...unlikeMemory(before.machine, after.machine),
    ...unlike(['kind', 'version', 'durable', 'settings'], before.server ?? {}, after.server ?? {}).map(
      (text) => `server ${text}`,
    ),
  ];
  if (machines.length > 0 && !anyMachine)
    throw new NotComparable(
      `the machines differ: ${machines.join('; ')}. Measure both on one machine, or compare nevertheless with --any-machine`,
    );
  const names = [...new Set([...Object.keys(before.settings), ...Object.keys(after.settings)])];
  const settings = unlike(
    names.filter((name) => !FREE_SETTINGS.has(name)),
    before.settings,
    after.settings,
  );
  if (settings.length > 0 && !anySettings)
    throw new NotComparable(
      `the settings differ: ${settings.join('; ')}. Measure both with the same, or compare nevertheless with --any-settings`,
    );
  return [...machines, ...settings, ...unlike(TOLD, before.machine, after.machine)];
}

/** More repeats make the interval narrower, not the figure another one. */
const FREE_SETTINGS = new Set(['repeat', 'url', 'sabotage']);

function unlike(names: readonly string[], before: Fields, after: Fields): string[] {
  return names
    .filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null))
    .map((name) => `${name} ${shown(before[name])} and ${shown(after[name])}`);
}

/** Machines of one kind differ by what their kernel keeps for itself. */
function unlikeMemory(before: Fields, after: Fields): string[] {
  const [old, fresh] = [numberAt(before, 'memoryMb'), numberAt(after, 'memoryMb')];
  if (old === null || fresh === null || Math.abs(old - fresh) <= 0.05 * Math.max(old, fresh)) return [];
  return [`memory ${old} and ${fresh} MB`];
}

function shown(value: unknown): string {
  return value === undefined || value === null
    ? 'none'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}
