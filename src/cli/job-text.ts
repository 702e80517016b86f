import { counted } from '../core/counted.ts';
import { formatDuration } from '../core/duration.ts';
import type { AttemptError } from '../core/errors.ts';
import type { KeptMeta } from '../core/meta.ts';
import { ERRORS_KEPT_FIRST } from '../core/trail.ts';
import type { JobDetail } from '../queue/job-view.ts';
import type { Paint } from '../telemetry/terminal.ts';
import { STATE_FORMATS, stateText } from './job-columns.ts';
import { stepsText, waitText } from './job-steps-text.ts';
import { absoluteTime, printable, relativeTime } from './text.ts';

/** Everything about one job, for people. */
export function jobText(job: JobDetail, now: number, paint: Paint): string {
  const time = (at: number): string => `${absoluteTime(at)}  ${paint('dim', relativeTime(at, now))}`;
  const facts: [string, string | null][] = [
    ['state', [paint(STATE_FORMATS[job.state], stateText(job)), ...waits(job)].join(', ')],
    ['task', printable(job.task)],
    ['queue', `${printable(job.queue)}, priority ${job.priority}`],
    [
      'attempts',
      `${job.attempt} of ${job.attemptsMax}${job.crashes === 0 ? '' : `, ${counted(job.crashes, 'lease')} lost`}`,
    ],
    ['key', job.key === null ? null : `${printable(job.key)}${job.held ? ', waits for its turn' : ''}`],
    ['unique key', job.uniqueKey === null ? null : printable(job.uniqueKey)],
    ...metaFacts(job.meta),
    ['created', time(job.createdAt)],
    ['due', time(job.dueAt)],
    ['started', job.startedAt === null ? null : time(job.startedAt)],
    ['finished', job.finishedAt === null ? null : `${time(job.finishedAt)}${took(job)}`],
    ['worker', job.workerId],
    ['lease until', job.leaseExpiresAt === null ? null : time(job.leaseExpiresAt)],
    ['input', payloadText(job.input)],
    ['progress', payloadText(job.progress)],
    ['result', payloadText(job.result)],
  ];
  const lines = facts.flatMap(([label, value]) =>
    value === null ? [] : [`${paint('dim', label.padEnd(12))}${value}`],
  );
  return [
    `${paint('bold', `job ${job.id}`)}`,
    ...lines,
    ...stepsText(job.steps, time, { paint, payload: payloadText }),
    ...errors(job, time, paint),
    ...log(job, paint),
    ...audit(job, time, paint),
  ].join('\n');
}

/** Only a job that was put off waits for what its last attempt waited for. */
function waits({ state, steps }: JobDetail): string[] {
  if (state !== 'scheduled') return [];
  return steps.filter((step) => step.state === 'waiting').map((step) => waitText(step, absoluteTime));
}

function metaFacts(meta: KeptMeta | null): [string, string | null][] {
  if (meta === null) return [];
  const { correlationId, traceparent, tracestate, tags, backoff, timeoutMs } = meta;
  return [
    ['correlation', correlationId === null ? null : printable(correlationId)],
    ['tags', tags.length === 0 ? null : tags.map(printable).join(', ')],
    ['trace', traceparent === null ? null : [traceparent, tracestate ?? ''].map(printable).join(' ').trim()],
    [
      'backoff',
      backoff === null ? null : typeof backoff === 'number' ? formatDuration(backoff) : payloadText(backoff),
    ],
    ['timeout', timeoutMs === null ? null : formatDuration(timeoutMs)],
  ];
}

function took(job: JobDetail): string {
  if (job.startedAt === null || job.finishedAt === null || job.finishedAt < job.startedAt) return '';
  return `  after ${formatDuration(job.finishedAt - job.startedAt)}`;
}

const ONE_LINE_MAX = 100;

/** A value as JSON: on one line where it is short. Null for none. */
export function payloadText(value: unknown): string | null {
  if (value === undefined) return null;
  const short = JSON.stringify(value);
  if (short.length <= ONE_LINE_MAX) return printable(short);
  return block(JSON.stringify(value, null, 2), 12).trimStart();
}

function errors(job: JobDetail, time: (at: number) => string, paint: Paint): string[] {
  if (job.errors.length === 0) return [];
  const each = job.errors.flatMap((error, index) => {
    const omitted = job.errorsOmitted > 0 && index === ERRORS_KEPT_FIRST;
    const code = error.code === null ? '' : `  ${error.code}`;
    return [
      ...(omitted ? [`  ${paint('dim', `(${counted(job.errorsOmitted, 'error')} left out)`)}`] : []),
      `  attempt ${error.attempt}  ${time(error.at)}${code}`,
      paint('red', block(errorText(error), 4)),
    ];
  });
  return ['', paint('bold', 'errors'), ...each];
}

function errorText(error: AttemptError): string {
  const said = `${error.name}: ${error.message}`;
  if (error.stack === null) return said;
  return error.stack.includes(error.message) ? error.stack : `${said}\n${error.stack}`;
}

function log(job: JobDetail, paint: Paint): string[] {
  if (job.logs.length === 0) return [];
  const lines = job.logs.map(({ at, attempt, message, data }) => {
    const more = data === undefined ? '' : ` ${paint('dim', printable(JSON.stringify(data)))}`;
    return `  ${paint('dim', `${absoluteTime(at)} #${attempt}`)}  ${printable(message)}${more}`;
  });
  const omitted =
    job.logsOmitted > 0 ? [`  ${paint('dim', `(${counted(job.logsOmitted, 'line')} left out)`)}`] : [];
  return ['', paint('bold', 'log'), ...omitted, ...lines];
}

function audit(job: JobDetail, time: (at: number) => string, paint: Paint): string[] {
  if (job.audit.length === 0) return [];
  const lines = job.audit.map(({ at, action, by, why, from, to }) => {
    const move = from === to ? '' : `  ${from} → ${to ?? 'removed'}`;
    return `  ${time(at)}  ${action} by ${printable(by)}${move}${why === null ? '' : `: ${printable(why)}`}`;
  });
  return ['', paint('bold', 'audit trail'), ...lines];
}

function block(text: string, indent: number): string {
  const space = ' '.repeat(indent);
  return text
    .split('\n')
    .map((line) => space + line.match(/^ */)?.[0] + printable(line.trim()))
    .join('\n');
}
