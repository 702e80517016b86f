import { formatDuration } from '../core/duration.ts';
import type { RunDetail } from '../flow/run-view.ts';
import type { Paint } from '../telemetry/terminal.ts';
import { payloadText } from './job-text.ts';
import { RUN_FORMATS, stepColumns } from './run-columns.ts';
import { stepTree } from './step-tree.ts';
import { tableLines } from './table.ts';
import { absoluteTime, printable, relativeTime } from './text.ts';

export interface RunTextOptions {
  readonly now: number;
  readonly paint: Paint;
  /** Columns of the screen; null when the output is no terminal. */
  readonly width: number | null;
}

/** Everything about one run, for people. */
export function runText(run: RunDetail, { now, paint, width }: RunTextOptions): string {
  const time = (at: number): string => `${absoluteTime(at)}  ${paint('dim', relativeTime(at, now))}`;
  const { id, flow, version, parent, state, reason, startedAt, endedAt, input, result } = run;
  const took = endedAt === null ? '' : `  after ${formatDuration(endedAt - startedAt)}`;
  const facts: [string, string | null][] = [
    ['state', paint(RUN_FORMATS[state], state)],
    ['reason', reason === null ? null : printable(reason)],
    ['flow', `${printable(flow)}, version ${version}`],
    ['a step of', parent === null ? null : `run ${printable(parent)}`],
    ['started', time(startedAt)],
    ['ended', endedAt === null ? null : `${time(endedAt)}${took}`],
    ['input', payloadText(input)],
    ['result', state === 'completed' ? payloadText(result) : null],
  ];
  const lines = facts.flatMap(([label, value]) =>
    value === null ? [] : [`${paint('dim', label.padEnd(12))}${value}`],
  );
  const steps = tableLines(stepColumns(run, now), stepTree(run.steps), { width, titles: true, paint });
  return [
    paint('bold', `run ${printable(id)}`),
    ...lines,
    '',
    ...steps,
    ...errors(run, paint),
    ...audit(run, time, paint),
  ].join('\n');
}

/** In full: the lines of steps are cut where the screen ends. */
function errors({ steps }: RunDetail, paint: Paint): string[] {
  const failed = steps.flatMap(({ name, error, job }) => (error === null ? [] : [{ name, error, job }]));
  if (failed.length === 0) return [];
  const lines = failed.flatMap(({ name, error, job }) => [
    `  ${name}${error.code === null ? '' : `  ${error.code}`}${job?.state == null ? '' : `  job ${job.id}`}`,
    `    ${paint('red', printable(`${error.name}: ${error.message}`))}`,
  ]);
  return ['', paint('bold', 'errors'), ...lines];
}

function audit(run: RunDetail, time: (at: number) => string, paint: Paint): string[] {
  if (run.audit.length === 0) return [];
  const lines = run.audit.map(({ at, action, by, why, step }) => {
    const what = step === null ? action : `${action} ${step}`;
    return `  ${time(at)}  ${what} by ${printable(by)}${why === null ? '' : `: ${printable(why)}`}`;
  });
  return ['', paint('bold', 'audit trail'), ...lines];
}
