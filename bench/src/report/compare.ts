import { ratioOf } from '../kit/ratio.ts';
import { type CompareOptions, differencesOf, NotComparable } from './differences.ts';
import { textAt } from './fields.ts';
import { type Figure, figuresOf } from './figures.ts';
import type { Result } from './result.ts';

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
  /** Of the interval: how probably it holds the true ratio. */
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
    // Nothing has no ratio.
    if (other === undefined || !wanted(one.name) || one.value <= 0 || other.value <= 0) return [];
    return [compared(one, other, maxLoss)];
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
  const { ratio, low, high, coverage } = ratioBetween(before, after);
  const verdict = verdictOf(low, high, better);
  const loss = better === 'higher' ? 1 - ratio : 1 - 1 / ratio;
  return {
    name,
    unit,
    better,
    before: before.value,
    after: after.value,
    ratio: rounded(ratio),
    low: low === null ? null : rounded(low),
    high: high === null ? null : rounded(high),
    coverage,
    verdict,
    failed: maxLoss !== null && verdict === 'worse' && loss * 100 > maxLoss,
  };
}

type Interval = Pick<ComparedFigure, 'ratio' | 'low' | 'high' | 'coverage'>;

/**
 * Where every round is known, by the rank-sum test (kit/ratio.ts). Results of `longshore-bench/1` have medians with the range of
 * their runs alone, which holds the true median with a probability of 1 - 2^(1 - n) (order statistics): the interval of the ratio
 * is put together from both ranges on the logarithms, by the method of variance estimates recovery (Zou and Donner 2008).
 * Neither supposes how runs are distributed.
 */
function ratioBetween(before: Figure, after: Figure): Interval {
  if (
    before.values.length > 1 &&
    after.values.length > 1 &&
    [...before.values, ...after.values].every((value) => value > 0)
  ) {
    const { confidence, ...found } = ratioOf(after.values, before.values);
    return { ...found, coverage: confidence };
  }
  const ratio = after.value / before.value;
  if (!hasRange(before) || !hasRange(after)) return { ratio, low: null, high: null, coverage: null };
  const [b, bLow, bHigh] = [before.value, before.low, before.high].map(Math.log) as [number, number, number];
  const [a, aLow, aHigh] = [after.value, after.low, after.high].map(Math.log) as [number, number, number];
  return {
    ratio,
    low: Math.exp(a - b - Math.hypot(a - aLow, bHigh - b)),
    high: Math.exp(a - b + Math.hypot(aHigh - a, b - bLow)),
    coverage: 1 - 2 ** (1 - Math.min(before.runs, after.runs)),
  };
}

function hasRange(figure: Figure): figure is Figure & { readonly low: number; readonly high: number } {
  return figure.low !== null && figure.high !== null && figure.low > 0 && figure.value > 0 && figure.runs > 1;
}

function verdictOf(low: number | null, high: number | null, better: 'higher' | 'lower'): Verdict {
  if (low === null || high === null) return 'one run';
  if (low > 1) return better === 'higher' ? 'better' : 'worse';
  if (high < 1) return better === 'higher' ? 'worse' : 'better';
  return low >= 1 - SAME_WITHIN && high <= 1 + SAME_WITHIN ? 'same' : 'unclear';
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
