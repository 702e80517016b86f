import type { FlowsFigures } from '../commands/flows.ts';
import type { DurationSummary } from '../histogram.ts';
import { formatMs, formatRate, formatRatio, table } from '../table.ts';
import type { SystemFigures } from './system-figures.ts';

/** The figures as text: shapes, runs at once, fan-outs, and other systems below each. */
export function flowsTable(figures: FlowsFigures): string {
  const systems: [string, SystemFigures][] = [['longshore', figures], ...Object.entries(figures.rivals)];
  const parts = [shapes(systems), bursts(systems), fanOuts(systems)].filter((part) => part !== '');
  const { settle } = figures;
  if (settle !== null)
    parts.push(
      `Steps settle at ${formatRatio(settle.share)} of the plain rate: ${formatRate(settle.stepsPerSecond)} of ${formatRate(settle.plainPerSecond)} jobs/s.`,
    );
  for (const [name, { note }] of Object.entries(figures.rivals)) parts.push(`${name}: ${note}.`);
  return parts.join('\n\n');
}

type Systems = readonly [name: string, figures: SystemFigures][];

function shapes(systems: Systems): string {
  const cells = (summary: DurationSummary): string[] =>
    (['p50', 'p95', 'p99'] as const).map(
      (name) => `${summary.weak.includes(name) ? '~' : ''}${formatMs(summary[name])}`,
    );
  const rows = systems.flatMap(([system, figures]) =>
    Object.entries(figures.shapes).map(([name, { endToEndMs, edgeMs, runsPerSecond }]) => [
      `${name}: ${system}`,
      ...cells(endToEndMs),
      ...cells(edgeMs),
      formatMs(runsPerSecond),
    ]),
  );
  if (rows.length === 0) return '';
  const head = ['ms', 'end to end p50', 'p95', 'p99', 'edge p50', 'p95', 'p99', 'runs/s'];
  const text = table([head, ...rows]);
  return `${text}\nFrom the intended start. ~ fewer than ten samples lie beyond this percentile.`;
}

function bursts(systems: Systems): string {
  const rows = systems.flatMap(([system, figures]) =>
    Object.entries(figures.burst).map(([name, { runs, runsPerSecond }]) => [
      `${formatRate(runs)} ${name} at once: ${system}`,
      formatRate(runsPerSecond),
    ]),
  );
  return rows.length === 0 ? '' : table([['', 'runs/s'], ...rows]);
}

function fanOuts(systems: Systems): string {
  const rows = systems.flatMap(([system, figures]) =>
    Object.entries(figures.fanOut).map(([items, { ms }]) => [
      `fan-out of ${formatRate(Number(items))} with a join: ${system}`,
      formatMs(ms),
    ]),
  );
  return rows.length === 0 ? '' : table([['', 'ms'], ...rows]);
}
