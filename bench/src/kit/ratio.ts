/**
 * How much larger one figure is than another, from a few rounds of each: the Hodges–Lehmann estimator on the logarithms, which
 * is the median of all ratios of one round to another, with the interval of the rank-sum test (Lehmann, "Nonparametrics",
 * 1975, section 2.5). It supposes no distribution, and one wild round cannot move it far.
 */
export interface Ratio {
  /** `later` over `earlier`. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** Of the interval, about 0.95; less where fewer than four rounds cannot give that. */
  readonly confidence: number;
}

/** `later` and `earlier` are values of one figure by round, all above 0. Throws where one of them has none. */
export function ratioOf(later: readonly number[], earlier: readonly number[]): Ratio {
  if (later.length === 0 || earlier.length === 0) throw new Error('A ratio needs a round of both.');
  const ratios = later
    .flatMap((one) => earlier.map((other) => one / other))
    .sort((one, other) => one - other);
  const cut = cutOf(later.length, earlier.length);
  const at = (index: number): number => ratios[index] as number;
  return {
    ratio: Math.sqrt(at((ratios.length - 1) >> 1) * at(ratios.length >> 1)),
    low: at(cut.ends),
    high: at(ratios.length - 1 - cut.ends),
    confidence: cut.confidence,
  };
}

export type Verdict = 'same' | 'better' | 'worse';

/** `same` where the interval has 1 in it: then the rounds do not tell the two apart. */
export function verdictOf({ low, high }: Ratio, better: 'higher' | 'lower'): Verdict {
  if (low <= 1 && high >= 1) return 'same';
  return low > 1 === (better === 'higher') ? 'better' : 'worse';
}

/** How many ratios are beyond each end of the interval: as many as keep its confidence at 0.95, by the exact distribution. */
function cutOf(m: number, n: number): { readonly ends: number; readonly confidence: number } {
  const ways = rankSums(m, n);
  const all = ways.reduce((sum, count) => sum + count, 0);
  let beyond = 0;
  let ends = -1;
  for (const count of ways) {
    if ((2 * (beyond + count)) / all > 0.05) break;
    beyond += count;
    ends += 1;
  }
  // Too few rounds for that: the whole range, and what it is worth.
  if (ends < 0) return { ends: 0, confidence: 1 - (2 * (ways[0] as number)) / all };
  return { ends, confidence: 1 - (2 * beyond) / all };
}

/** By the number of pairs that are in order, in how many ways m and n values can be ranked so. */
function rankSums(m: number, n: number): number[] {
  let rows: number[][] = Array.from({ length: n + 1 }, () => [1]);
  for (let i = 1; i <= m; i += 1) {
    const next: number[][] = [[1]];
    for (let j = 1; j <= n; j += 1) next.push(added(rows[j] as number[], next[j - 1] as number[], j, i));
    rows = next;
  }
  return rows[n] as number[];
}

/** The largest of i and j values is one of the i: it is above all j; or one of the j. */
function added(oneLess: readonly number[], other: readonly number[], j: number, i: number): number[] {
  return Array.from({ length: i * j + 1 }, (_, u) => (oneLess[u - j] ?? 0) + (other[u] ?? 0));
}

/** Of a figure's rounds. Throws where there are none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) throw new Error('There is no median of nothing.');
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
