import type { Percentiles, ScenarioResult, ScenarioRun } from '../scenarios/scenario.ts';
import { spreadOf } from '../spread.ts';
import { formatMs, table } from '../table.ts';
import type { SuiteFigures } from './suite-document.ts';

/** A row a scenario, below its phase, then how it went and what the columns mean. */
export function suiteTable({ results, totals, failed }: SuiteFigures): string {
  const rows: string[][] = [HEAD];
  let phase: string | null = null;
  for (const result of results) {
    if (result.phase !== phase) rows.push([result.phase]);
    phase = result.phase;
    rows.push(row(result));
  }
  const { scenarios, run, completed, elapsedSeconds } = totals;
  const skipped = scenarios === run ? '' : `, ${scenarios - run} not run`;
  return [
    table(rows, 3),
    `${completed} of ${run} scenarios completed${skipped}, in ${formatSeconds(elapsedSeconds)}.`,
    ...failed.map(({ name, error }) => `failed: ${name}: ${error}`),
    ...NOTES,
  ].join('\n');
}

const HEAD = [
  'scenario',
  'strategy',
  'workload',
  'jobs/s',
  'wait p99',
  'delay p99',
  'cpu s',
  'wall s',
  'status',
];

const NOTES = [
  'wait: until the handler starts, ms; delay: of the event loop, ms; ~: fewer than ten samples lie beyond it.',
  'cpu: of the worker and its children, wall: until the last outcome is stored. Medians of the repeats.',
];

/** Of a scenario that failed no figure is shown, whatever its runs have. */
function row({
  name,
  strategy,
  workload,
  status,
  runs,
  jobsPerSecond,
  totalSeconds,
}: ScenarioResult): string[] {
  const heading = [`  ${name}`, strategy, workload];
  if (status === 'failed') return [...heading, '-', '-', '-', '-', '-', status];
  return [
    ...heading,
    formatFigure(jobsPerSecond?.median),
    p99(runs, ({ waitMs }) => waitMs),
    p99(runs, ({ eventLoopDelayMs }) => eventLoopDelayMs),
    formatFigure(spreadOf(runs, ({ cpuSeconds }) => cpuSeconds).median),
    formatFigure(totalSeconds?.median),
    status,
  ];
}

function p99(runs: readonly ScenarioRun[], of: (run: ScenarioRun) => Percentiles): string {
  const mark = runs.some((run) => of(run).weak.includes('p99')) ? '~' : '';
  return `${mark}${formatMs(spreadOf(runs, (run) => of(run).p99).median)}`;
}

function formatFigure(value = Number.NaN): string {
  if (Number.isNaN(value)) return '-';
  return value.toFixed(value < 10 ? 2 : 1);
}

/** As in `8 s`, `1m 5s`, `2h 10m`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}m ${whole % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
