import { table } from '../table.ts';
import { formatNumber } from './chart.ts';
import type { ComparedFigure, Comparison } from './compare.ts';

/** The comparison as plain text: a row for each figure, then what to know of both sides. */
export function comparisonText(comparison: Comparison): string {
  const { figures, before, after, differences, onlyBefore, onlyAfter } = comparison;
  const rows = figures.map((figure) => [
    figure.name,
    figure.unit,
    formatNumber(figure.before),
    formatNumber(figure.after),
    figure.ratio.toFixed(3),
    figure.low === null || figure.high === null ? '-' : `${figure.low.toFixed(3)}-${figure.high.toFixed(3)}`,
    figure.failed ? `${figure.verdict} (too much)` : figure.verdict,
  ]);
  const notes = [
    `before: ${before.file} (${before.startedAt.slice(0, 16)}), after: ${after.file} (${after.startedAt.slice(0, 16)}); ratio: after over before.`,
    tally(figures),
    ...coverageNote(figures),
    ...(differences.length > 0 ? [`They differ in ${differences.join('; ')}.`] : []),
    ...missing('before', onlyBefore),
    ...missing('after', onlyAfter),
  ];
  return [
    table([['figure', 'unit', 'before', 'after', 'ratio', 'interval', 'verdict'], ...rows], 2),
    '',
    ...notes,
  ].join('\n');
}

/** Why the exit code is 1. */
export function reproach({ figures, maxLoss }: Comparison): string {
  const failed = figures.filter((figure) => figure.failed);
  return `worse by more than ${maxLoss} %: ${failed.map(({ name, ratio }) => `${name} (${ratio.toFixed(3)})`).join(', ')}`;
}

function tally(figures: readonly ComparedFigure[]): string {
  const count = (verdict: ComparedFigure['verdict']): string =>
    `${figures.filter((figure) => figure.verdict === verdict).length} ${verdict}`;
  return `${count('better')}, ${count('worse')}, ${count('same')}, ${count('unclear')}, ${count('one run')}.`;
}

function coverageNote(figures: readonly ComparedFigure[]): string[] {
  const least = Math.min(...figures.flatMap(({ coverage }) => coverage ?? []));
  if (!Number.isFinite(least)) return ['No figure has an interval: measure with --repeat 5 or more.'];
  const share = `${(least * 100).toFixed(0)} %`;
  return [
    least >= 0.93
      ? `An interval holds the true ratio with about ${share}.`
      : `An interval holds the true ratio with about ${share} only: measure with --repeat 5 or more.`,
  ];
}

function missing(side: string, names: readonly string[]): string[] {
  const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : '';
  return names.length === 0 ? [] : [`Only ${side}: ${names.slice(0, NAMES_MAX).join(', ')}${more}.`];
}

const NAMES_MAX = 5;
