import type { RunAudit } from '../core/flow/actions.ts';
import { type FlowData, runsJobs, type StepData } from '../core/flow/data.ts';
import { partText } from '../core/flow/names.ts';
import { sizeOf } from '../core/flow/ranges.ts';
import { readinessOf } from '../core/flow/ready.ts';
import {
  KEPT,
  parseRun,
  type RunState,
  type RunValue,
  type StepError,
  type StepStateName,
} from '../core/flow/run.ts';
import type { Job } from '../core/job.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { parsePlanRef } from '../core/plan.ts';
import type { PlanRecord } from '../store/plans.ts';
import { runPlace } from './run-payload.ts';
import { childId, jobIdOf, runIdOf, runKey } from './run-plan.ts';

/** A run as people and programs look at it. Times are in ms since the epoch, as those of jobs. */
export interface RunView {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly state: RunState;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Why it did not complete. */
  readonly reason: string | null;
}

export interface RunDetail extends RunView {
  readonly input: unknown;
  /** Of a completed run. */
  readonly result: unknown;
  /** The id of the run that this one is a step of. */
  readonly parent: string | null;
  /** Parents stand before their children. */
  readonly steps: readonly StepView[];
  /** By-hand actions, oldest first. */
  readonly audit: readonly RunAudit[];
}

export interface StepView {
  readonly name: string;
  readonly kind: StepData['kind'];
  /** `pending` until its parents have ended; of a run that ended, such a step never ran. */
  readonly state: StepStateName;
  /** Failed, and a person must decide. */
  readonly blocked: boolean;
  readonly task: string | null;
  readonly after: readonly string[];
  /** Parents, how many of them have ended, and which have not. */
  readonly parents: number;
  readonly parentsEnded: number;
  readonly waitsFor: readonly string[];
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly error: StepError | null;
  readonly result: unknown;
  /** The job of a step that has one. */
  readonly job: StepJob | null;
  /** The run of a step that is a flow. */
  readonly run: string | null;
  /** Of a fan-out. */
  readonly items: ItemsView | null;
  /** Branches that a decision chose. */
  readonly chose: readonly string[] | null;
  /** The name of the signal that a wait is for. */
  readonly signal: string | null;
  /** When a wait or a sleep ends; null waits for ever. */
  readonly until: number | null;
  /** The task that takes back what the step did. */
  readonly undoTask: string | null;
  readonly undo: 'running' | 'completed' | 'failed' | 'skipped' | null;
  /** No live worker has the step's task, or its undo's. */
  readonly taskUnknown: boolean;
}

export interface StepJob {
  readonly id: string;
  /** Null when the job is no longer there. */
  readonly state: string | null;
  readonly attempt: number;
  readonly attemptsMax: number;
  /** Of a job that waits for its next attempt. */
  readonly nextAttemptAt: number | null;
}

export interface ItemsView {
  readonly of: number;
  readonly completed: number;
  readonly failed: number;
  readonly running: number;
  readonly waiting: number;
}

export function runView(plan: PlanRecord): RunView {
  const run = parseRun(plan.value);
  return {
    id: run.id,
    flow: run.flow,
    version: run.version,
    state: plan.state as RunState,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    reason: run.reason,
  };
}

/** The jobs of steps that have one job each, by step. */
export function stepJobIds(plan: PlanRecord, flow: FlowData): Map<string, string> {
  const run = parseRun(plan.value);
  const ids = new Map<string, string>();
  for (const step of flow.steps) {
    const state = run.steps[step.name];
    if (state === undefined || !runsJobs(step) || step.kind === 'each') continue;
    const gen = state.ran === undefined ? state.gen : state.ran;
    if (gen === null) continue;
    const as =
      step.kind === 'loop' ? partText('i', step.name, gen, lastTurn(state)) : partText('s', step.name, gen);
    ids.set(step.name, jobIdOf(run, as));
  }
  return ids;
}

function lastTurn({ is, turns = 0 }: RunValue['steps'][string]): number {
  return is === 'completed' ? turns - 1 : turns;
}

export interface DetailGiven {
  /** With all of its kept texts. */
  readonly plan: PlanRecord;
  readonly flow: FlowData;
  readonly codec: PayloadCodec;
  readonly jobs: ReadonlyMap<string, Job | null>;
  /** Tasks that live workers have. */
  readonly tasks: ReadonlySet<string>;
}

export function runDetail(given: DetailGiven): RunDetail {
  const { plan, flow } = given;
  const run = parseRun(plan.value);
  const text = (name: string): string | null => run.inline[name] ?? plan.kept[name] ?? null;
  const read = (name: string): unknown =>
    given.codec.decode(text(name), runPlace(run.id), `'${name}' of run '${run.id}'`) ?? null;
  const audit = Array.from({ length: run.audits }, (_, index) => text(KEPT.audit(index + 1)));
  return {
    ...runView(plan),
    input: read(KEPT.input),
    result: read(KEPT.result),
    parent: parentRun(run),
    steps: flow.steps.map((step) => stepView(step, run, given, read)),
    audit: audit.flatMap((entry) => (entry === null ? [] : [JSON.parse(entry) as RunAudit])),
  };
}

/** A run may report to what is no run, such as a schedule. */
function parentRun({ parent }: RunValue): string | null {
  return parent?.startsWith(runKey('')) ? runIdOf(parsePlanRef(parent).plan) : null;
}

function stepView(
  step: StepData,
  run: RunValue,
  given: DetailGiven,
  read: (name: string) => unknown,
): StepView {
  const state = run.steps[step.name];
  const { parents, parentsEnded, waitsFor } = readinessOf(run, step);
  const id = stepJobIds(given.plan, given.flow).get(step.name);
  const tasks = [
    ...(runsJobs(step) ? [step.task] : []),
    ...(step.undo === undefined ? [] : [step.undo.task]),
  ];
  const needs = run.endedAt === null && (state === undefined || state.is === 'running');
  return {
    name: step.name,
    kind: step.kind,
    state: state?.is ?? 'pending',
    blocked: state?.blocked === true || state?.undo?.is === 'failed',
    task: runsJobs(step) ? step.task : null,
    after: step.after.map(({ step: parent, branch }) =>
      branch === undefined ? parent : `${parent}.${branch}`,
    ),
    parents,
    parentsEnded,
    waitsFor,
    startedAt: state?.from ?? null,
    endedAt: state?.to ?? null,
    error: state?.error ?? null,
    result: state?.is === 'completed' && state.items === undefined ? read(KEPT.resultOf(step.name)) : null,
    job: id === undefined ? null : jobOf(id, given.jobs.get(id) ?? null),
    run:
      step.kind === 'flow' && state !== undefined
        ? childId(run.id, { step: step.name, gen: state.gen })
        : null,
    items: itemsOf(state),
    chose: state?.chose ?? null,
    signal: step.kind === 'wait' ? step.signal : null,
    until: state?.is === 'waiting' ? (state.until ?? null) : null,
    undoTask: step.undo?.task ?? null,
    undo: state?.undo?.is ?? null,
    taskUnknown: needs && tasks.some((task) => !given.tasks.has(task)),
  };
}

function itemsOf(state: RunValue['steps'][string] | undefined): ItemsView | null {
  const items = state?.items;
  if (items === undefined) return null;
  const { of, completed, failed, live, todo } = items;
  return { of, completed, failed: sizeOf(failed), running: live, waiting: sizeOf(todo) };
}

function jobOf(id: string, job: Job | null): StepJob {
  if (job === null) return { id, state: null, attempt: 0, attemptsMax: 0, nextAttemptAt: null };
  const { state, attempt, attemptsMax, dueAt } = job;
  return { id, state, attempt, attemptsMax, nextAttemptAt: state === 'scheduled' ? dueAt : null };
}
