import { formatDuration } from '../core/duration.ts';
import { PHASES, type Phase, type PhaseName } from '../core/trace.ts';
import type { Trace, TracedJob } from '../flow/trace.ts';
import type { Paint } from '../telemetry/terminal.ts';
import { STATE_FORMATS } from './job-columns.ts';
import { type Column, tableLines } from './table.ts';
import { absoluteTime, printable } from './text.ts';

export interface TraceTextOptions {
  /** Columns of the screen; null when the output is no terminal. */
  readonly width: number | null;
  readonly paint: Paint;
}

/** Each phase as it is drawn. */
const SIGNS: Readonly<Record<PhaseName, string>> = {
  enqueue: '-',
  delay: '.',
  wait: '░',
  claim: '▒',
  run: '█',
  settle: '▓',
  busy: '█',
  end: '-',
};

const BAR_MIN = 20;
const BAR_MAX = 60;
/** What the other columns take, about. */
const BESIDE = 70;

/** A timeline of every job, and how the way to the end adds up. */
export function traceText(trace: Trace, { width, paint }: TraceTextOptions): string {
  const { jobs, runs, notStored, startedAt, endedAt } = trace;
  const bar = Math.min(BAR_MAX, Math.max(BAR_MIN, (width ?? BESIDE + BAR_MAX) - BESIDE));
  const took = `${formatDuration(trace.totalMs)}${endedAt === null ? ' so far' : ''}`;
  return [
    `${paint('bold', `${trace.kind} ${printable(trace.id)}`)}  ${absoluteTime(startedAt)}  ${took}`,
    ...(trace.correlationId === trace.id
      ? []
      : [`${paint('dim', 'correlation'.padEnd(12))}${printable(trace.correlationId)}`]),
    ...runs.map(
      ({ id, flow, state }) =>
        `${paint('dim', 'run'.padEnd(12))}${printable(id)}  ${printable(flow)}  ${state}`,
    ),
    '',
    ...tableLines(columns(trace, bar), jobs, { width: null, titles: true, paint }),
    legend(jobs),
    ...(trace.more ? ['  There are more jobs; these are 1,000 of them.'] : []),
    '',
    ...sums(trace, paint),
    ...(notStored.length === 0 ? [] : ['', paint('dim', 'not stored')]),
    ...notStored.map((text) => `  ${text}`),
  ].join('\n');
}

function columns(trace: Trace, bar: number): Column<TracedJob>[] {
  const time = (name: PhaseName) => (job: TracedJob) => {
    const ms = job.phases.reduce(
      (total, phase) => total + (phase.name === name ? phase.to - phase.from : 0),
      0,
    );
    return ms === 0 ? '' : formatDuration(ms);
  };
  const used = PHASES.filter((name) =>
    trace.jobs.some(({ phases }) => phases.some((phase) => phase.name === name)),
  );
  return [
    {
      title: 'STEP',
      value: ({ step, task }) => (step === null || step === task ? task : `${step} (${task})`),
      flexible: true,
    },
    { title: 'STATE', value: ({ state }) => state, format: ({ state }) => STATE_FORMATS[state] },
    { title: 'TIME', value: (job) => drawn(job, trace, bar) },
    ...used.map(
      (name): Column<TracedJob> => ({ title: name.toUpperCase(), value: time(name), align: 'right' }),
    ),
    { title: 'WORKER', value: ({ worker }) => worker ?? 'not stored' },
  ];
}

/** From the start of the trace to its end; a handler's time takes a place however short it was, over what is beside it. */
function drawn({ phases }: TracedJob, { startedAt, totalMs }: Trace, bar: number): string {
  const cell = Math.max(totalMs, 1) / bar;
  const cells = new Array<PhaseName | null>(bar).fill(null);
  const isShort = ({ name }: Phase): boolean => name === 'run' || name === 'busy';
  for (const phase of [...phases.filter((one) => !isShort(one)), ...phases.filter(isShort)]) {
    const begin = Math.min(Math.round((phase.from - startedAt) / cell), isShort(phase) ? bar - 1 : bar);
    const end = Math.max(Math.round((phase.to - startedAt) / cell), isShort(phase) ? begin + 1 : begin);
    cells.fill(phase.name, begin, end);
  }
  return cells.map((name) => (name === null ? ' ' : SIGNS[name])).join('');
}

function legend(jobs: readonly TracedJob[]): string {
  const used = PHASES.filter((name) =>
    jobs.some(({ phases }) => phases.some((phase) => phase.name === name)),
  );
  const names = used.map((name) => `${SIGNS[name]} ${name === 'busy' ? 'claim, run and settle' : name}`);
  return `  ${names.join('   ')}`;
}

function sums({ sum, jobs, totalMs }: Trace, paint: Paint): string[] {
  const names = new Map(jobs.map(({ id, step, task }) => [id, printable(step ?? task)]));
  const way = sum.path.map((id) => names.get(id) ?? id);
  const shown = way.length > WAY_MAX ? [...way.slice(0, WAY_MAX), `and ${way.length - WAY_MAX} more`] : way;
  const line = (name: string, ms: number): string =>
    `  ${name.padEnd(10)}${formatDuration(ms).padStart(10)}  ${share(ms, totalMs)}`;
  return [
    `${paint('bold', 'adds up along')} ${shown.join(' > ')}`,
    ...PHASES.flatMap((name) => {
      const ms = sum.phases[name] ?? 0;
      return ms === 0 ? [] : [line(name, ms)];
    }),
    ...(sum.otherMs > 0 ? [line('other', sum.otherMs)] : []),
    line('total', sum.totalMs),
  ];
}

const WAY_MAX = 12;

function share(ms: number, totalMs: number): string {
  return totalMs === 0 ? '' : `${Math.round((ms / totalMs) * 100)} %`.padStart(5);
}
