import { formatDuration } from '../core/duration.ts';
import type { RunState } from '../core/flow/run.ts';
import type { ItemsView, RunDetail, RunView, StepJob, StepView } from '../flow/run-view.ts';
import type { Format } from '../telemetry/terminal.ts';
import { parentsOf, type StepLine } from './step-tree.ts';
import type { Column } from './table.ts';
import { absoluteTime, counted, relativeTime } from './text.ts';

/** How a run looks in a list. */
export function runColumns(now: number): Column<RunView>[] {
  return [
    { title: 'RUN', value: ({ id }) => id },
    { title: 'FLOW', value: ({ flow }) => flow, flexible: true },
    { title: 'STATE', value: ({ state }) => state, format: ({ state }) => RUN_FORMATS[state] },
    { title: 'STARTED', value: ({ startedAt }) => relativeTime(startedAt, now) },
    { title: 'TOOK', value: (run) => took(run, null), align: 'right', optional: 1 },
    { title: 'REASON', value: ({ reason }) => reason ?? '', flexible: true, optional: 2 },
  ];
}

export const RUN_FORMATS: Readonly<Record<RunState, Format>> = {
  running: 'yellow',
  waiting: 'cyan',
  blocked: 'magenta',
  completed: 'green',
  failed: 'red',
  cancelled: 'gray',
};

/** How the steps of a run look, a line each. */
export function stepColumns(run: RunDetail, now: number): Column<StepLine>[] {
  return [
    { title: 'STEP', value: ({ lead, step }) => lead + step.name },
    {
      title: 'STATE',
      value: ({ step }) => stepStateText(step, run),
      format: ({ step }) => (needsSomebody(step) ? 'magenta' : STEP_FORMATS[step.state]),
    },
    {
      title: 'STARTED',
      value: ({ step: { startedAt } }) => (startedAt === null ? '' : relativeTime(startedAt, now)),
      optional: 2,
    },
    {
      title: 'TOOK',
      value: ({ step }) => (step.state === 'skipped' ? '' : took(step, now)),
      align: 'right',
      optional: 1,
    },
    { title: 'WHAT', value: ({ step }) => facts(step, run, now).join('; '), flexible: true },
  ];
}

const STEP_FORMATS: Readonly<Record<StepView['state'], Format>> = {
  pending: 'gray',
  running: 'yellow',
  waiting: 'cyan',
  completed: 'green',
  failed: 'red',
  skipped: 'gray',
  cancelled: 'gray',
};

function needsSomebody({ blocked, taskUnknown }: StepView): boolean {
  return blocked || taskUnknown;
}

const UNDO_TEXTS = {
  running: 'undo runs',
  completed: 'undone',
  failed: 'undo failed',
  skipped: 'undo skipped',
} as const;

export function stepStateText({ state, blocked, undo }: StepView, { endedAt }: RunView): string {
  if (state === 'pending' && endedAt !== null) return 'never ran';
  if (undo !== null) return `${state}, ${UNDO_TEXTS[undo]}`;
  return blocked ? `${state}, blocked` : state;
}

/** From its start to its end; of one that goes on to `now`, or nothing where that is null. */
function took(
  { startedAt, endedAt }: { readonly startedAt: number | null; readonly endedAt: number | null },
  now: number | null,
): string {
  const end = endedAt ?? now;
  return startedAt === null || end === null ? '' : formatDuration(Math.max(0, end - startedAt));
}

/** What is worth knowing of a step in its state. */
function facts(step: StepView, run: RunDetail, now: number): string[] {
  const { state, job, items, chose, error, waitsFor, parents, parentsEnded } = step;
  return [
    ...(state === 'waiting' ? [waitText(step, now)] : []),
    ...(state === 'pending' && run.endedAt === null && waitsFor.length > 0
      ? [`waits for ${waitsFor.join(', ')} (${parentsEnded} of ${parents} ended)`]
      : parentsOf(step).length > 1
        ? [`after ${step.after.join(', ')}`]
        : []),
    ...(chose === null ? [] : [chose.length === 0 ? 'chose no branch' : `chose ${chose.join(', ')}`]),
    ...(items === null ? [] : [itemsText(items)]),
    ...(step.run === null ? [] : [`run ${step.run}`]),
    ...(state === 'running' && job !== null ? [jobText(job, now)] : []),
    ...(step.taskUnknown ? [taskUnknownText(step)] : []),
    ...(error === null ? [] : [error.message]),
    ...(state === 'running' && job?.state != null ? [`job ${job.id}`] : []),
  ].filter((text) => text !== '');
}

function taskUnknownText({ task, undoTask }: StepView): string {
  const names = [task, undoTask].filter((name) => name !== null);
  return `no live worker has ${names.map((name) => `'${name}'`).join(' or ')}`;
}

function waitText({ signal, until }: StepView, now: number): string {
  const what = signal === null ? '' : `for signal '${signal}', `;
  if (until === null) return signal === null ? '' : `${what}without a timeout`;
  if (until <= now) return `${what}over since ${absoluteTime(until)}, no worker has looked yet`;
  return `${what}${signal === null ? 'ends' : 'times out'} ${relativeTime(until, now)} (${absoluteTime(until)})`;
}

function itemsText({ of, completed, failed, running, waiting }: ItemsView): string {
  const parts = [
    [completed, 'completed'],
    [failed, 'failed'],
    [running, 'queued or running'],
    [waiting, 'not yet queued'],
  ] as const;
  const counts = parts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  return `${counted(of, 'item')}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
}

function jobText({ state, attempt, attemptsMax, nextAttemptAt }: StepJob, now: number): string {
  if (state === null) return 'its job is gone';
  const tries = `attempt ${attempt} of ${attemptsMax}`;
  if (nextAttemptAt !== null) return `${tries}, the next ${relativeTime(nextAttemptAt, now)}`;
  if (state === 'running') return tries;
  return state === 'ready'
    ? `its job waits for a worker${attempt === 0 ? '' : `, ${tries}`}`
    : `its job ${state}`;
}
