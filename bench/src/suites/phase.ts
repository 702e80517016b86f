import type { Scenario } from '../scenarios/scenario.ts';

/** Scenarios that ask one question together: all but one or two of their fields are alike. */
export interface Phase {
  readonly phase: string;
  readonly rows: readonly Row[];
}

/** What a phase says of a scenario; the rest is alike in all suites. */
export type Row = Omit<Scenario, 'suite' | 'phase' | 'jitter' | 'jobTimeoutMs'>;

/** On the worker's event loop, and beside it. All four strategies are compared by `bench work`. */
export const COMPARED = ['async', 'thread'] as const;

/** Every pair, the first list in the outer loop. */
export function pairs<Outer, Inner>(
  outer: readonly Outer[],
  inner: readonly Inner[],
): (readonly [Outer, Inner])[] {
  return outer.flatMap((one) => inner.map((other) => [one, other] as const));
}

/** What each strategy makes of ten jobs of a second: the first phase of two suites. */
export function baseline(): Phase {
  const alike = { jobs: 10, concurrency: 10, workSeconds: 1, repeats: 3, timeoutSeconds: 120 };
  const rows = COMPARED.map(
    (strategy): Row => ({ name: `baseline_${strategy}`, strategy, workload: 'cpu', ...alike }),
  );
  return { phase: '1_baseline', rows };
}
