import type { Lines, Point, Series } from '../chart.ts';
import { numberAt } from '../fields.ts';

/** A distribution's curve: the axis of percentiles stretches the tail. */
export function percentileChart(title: string, series: readonly Series[], note: string): Lines {
  return {
    kind: 'lines',
    title,
    unit: 'ms',
    better: 'lower',
    note,
    x: { title: 'percentile', scale: 'percentile' },
    yScale: 'log',
    series,
  };
}

/** Percentiles by their names in results, as shares. */
export const PERCENTILES: Readonly<Record<string, number>> = {
  p50: 0.5,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  p999: 0.999,
};

export function summaryPoints(summary: unknown): Point[] {
  return Object.entries(PERCENTILES).flatMap(([field, x]) => {
    const y = numberAt(summary, field);
    return y === null ? [] : [{ x, y }];
  });
}
