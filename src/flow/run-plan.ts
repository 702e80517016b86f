import type { Action } from '../core/flow/actions.ts';
import type { FlowData } from '../core/flow/data.ts';
import { decideRun, type RunDecision } from '../core/flow/decide.ts';
import type { JobOrder, RunOrder, StopOrder } from '../core/flow/draft.ts';
import { CANCEL, CANCEL_AND_UNDO, parsePart } from '../core/flow/names.ts';
import type { RunReport } from '../core/flow/reports.ts';
import { KEPT, newRun, parseRun, type RunValue } from '../core/flow/run.ts';
import { RUN_PREFIX } from '../core/job-flow.ts';
import { inputOf, type PayloadCodec } from '../core/payload.ts';
import { parsePlanRef, planRefText } from '../core/plan.ts';
import type { DuePlan, KeptText, NewReport, PlanChange, Report, Unit } from '../store/plans.ts';
import type { JobSpec, Store } from '../store/store.ts';
import { digestOf, partId } from './part-id.ts';
import { checkAt } from './run-check.ts';
import { moved, runCodec, runPlace } from './run-payload.ts';

/** Between the rule of flows and the store: a run as a plan, and what the rule decided as a unit to commit. */

export const RUN_KIND = 'run';

export function runKey(id: string): string {
  return `${RUN_PREFIX}${id}`;
}

export function runIdOf(key: string): string {
  return key.slice(RUN_PREFIX.length);
}

/** The id of a run that is a step of another one. Ids that programs give have no `>`. */
export function childId(parent: string, { step, gen }: Pick<RunOrder, 'step' | 'gen'>): string {
  const id = gen === 0 ? `${parent}>${step}` : `${parent}>${step}.${gen}`;
  if (id.length <= RUN_ID_MAX) return id;
  const [root] = parent.split('>');
  return `${root}>~${digestOf(id)}`;
}

/** Of child runs; the store's keys end at 300 characters. Ids that programs give end at 200. */
export const RUN_ID_MAX = 290;

export interface DecidedRun {
  readonly unit: Unit;
  readonly decision: RunDecision;
  /** Plans that have something to decide once this is committed. */
  readonly follow: readonly string[];
}

export interface DecideMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
  readonly now: number;
  readonly flow: FlowData;
  /** The plan's value, where it was read already. */
  readonly run?: RunValue;
  /** Reports that the store does not have. */
  readonly lost?: readonly Report[];
}

/** Decides on a run. Throws what the rule throws for an action that is refused. */
export async function decidePlan(plan: DuePlan, means: DecideMeans, action?: Action): Promise<DecidedRun> {
  const { store, codec, now, flow, run = parseRun(plan.value), lost = [] } = means;
  const kept = new Map<string, string | null>();
  const reports = [...plan.reports, ...lost].map((report) => reportOf(report, run, codec));
  const given = {
    run,
    flow,
    now,
    kept,
    codec: runCodec(codec, run.id),
    reports,
    more: plan.more,
    ...(action && { action }),
  };
  for (let decision = decideRun(given); ; decision = decideRun(given)) {
    if (!('needs' in decision)) return decidedOf(plan, decision, means);
    const { needs } = decision;
    const found = plan.version === 0 ? null : await store.plan(plan.key, needs);
    for (const name of needs) kept.set(name, found?.kept[name] ?? null);
  }
}

/** A run that begins: its first decision, as a unit that is committed only if there is no run of this id. */
export interface NewRun {
  readonly id: string;
  /** Its name. */
  readonly flow: string;
  readonly version: string;
  /** Encoded. */
  readonly input: string | null;
  readonly meta: string | null;
  readonly parent: string | null;
}

export function planOfNewRun(given: NewRun, now: number): DuePlan {
  const { id, flow, version, input, meta, parent } = given;
  const run = newRun({ id, flow, version, startedAt: now, parent, meta });
  // Where it is small it stays there; else the first decision moves it beside the value.
  run.inline[KEPT.input] = input;
  return {
    key: runKey(id),
    kind: RUN_KIND,
    label: flow,
    state: 'running',
    version: 0,
    value: JSON.stringify(run),
    wakeAt: null,
    expiresAt: null,
    createdAt: now,
    updatedAt: now,
    kept: {},
    reports: [],
    more: false,
  };
}

/** A result was sealed for the job it is of, or for the run that was a step; a signal's payload for this run. */
function reportOf(
  { no, as, job, state, result, error }: Report,
  run: RunValue,
  codec: PayloadCodec,
): RunReport {
  const brief = error === null ? null : { name: error.name, message: error.message, code: error.code };
  const part = parsePart(as);
  const to = runPlace(run.id);
  const from =
    job !== null
      ? ({ role: 'result', id: job } as const)
      : part === null
        ? to
        : runPlace(childId(run.id, part));
  const text = moved(codec, result, { from, to, what: `the result of '${as}' in run '${run.id}'` });
  return { no, as, state, result: text, error: brief };
}

function decidedOf(plan: DuePlan, decision: RunDecision, { codec, now }: DecideMeans): DecidedRun {
  const { run } = decision;
  const children = decision.runs.map((order) => childPlan(plan.key, run, order, codec));
  const parent =
    run.phase === 'ended' && run.parent !== null && JSON.parse(plan.value).phase !== 'ended'
      ? run.parent
      : null;
  const reports = parent === null ? [] : [endReport(parent, decision)];
  const unit: Unit = {
    plans: [changeOf(plan, decision, now), ...children],
    enqueue: decision.jobs.map((order) => jobSpec(plan.key, run, order, codec)),
    reports,
  };
  const follow = [...children.map(({ key }) => key), ...reports.map((report) => report.plan)];
  return { unit, decision, follow };
}

function changeOf(plan: DuePlan, decision: RunDecision, now: number): PlanChange {
  const keep: KeptText[] = [...decision.keep].map(([name, text]) => ({ name, text }));
  return {
    key: plan.key,
    kind: plan.kind,
    label: plan.label,
    state: decision.state,
    version: plan.version,
    value: JSON.stringify(decision.run),
    wakeAt: earlier(decision.wakeAt, checkAt(decision.run, now)),
    expiresAt: decision.expiresAt,
    taken: plan.reports.map(({ no }) => no),
    keep,
  };
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** It wakes at once: whoever finds it decides its first steps. */
function childPlan(key: string, run: RunValue, order: RunOrder, codec: PayloadCodec): PlanChange {
  const { flow, version, as } = order;
  const id = childId(run.id, order);
  const places = { from: runPlace(run.id), to: runPlace(id), what: `the input of run '${id}'` };
  const input = moved(codec, order.input, places);
  const child = { id, flow, version, input, meta: run.meta, parent: planRefText({ plan: key, as }) };
  return newRunChange(child, { startedAt: run.startedAt, wakeAt: 0 });
}

/** A run that begins when it wakes, to be committed with what starts it. */
export function newRunChange(
  given: NewRun,
  { startedAt, wakeAt }: { readonly startedAt: number; readonly wakeAt: number },
): PlanChange {
  const { key, kind, label, state, version, value, expiresAt } = planOfNewRun(given, startedAt);
  return { key, kind, label, state, version, value, wakeAt, expiresAt };
}

function endReport(parent: string, { run, keep }: RunDecision): NewReport {
  return { ...parsePlanRef(parent), ...endOfRun(run, keep.get(KEPT.result) ?? null) };
}

/** How a run ended, as its parent learns of it; `kept` is its result where that lies beside its value. */
export function endOfRun(run: RunValue, kept: string | null): Pick<NewReport, 'state' | 'result' | 'error'> {
  const state = run.verdict ?? 'completed';
  const result = state === 'completed' ? (kept ?? run.inline[KEPT.result] ?? null) : null;
  const error =
    state === 'completed'
      ? null
      : {
          attempt: 0,
          at: run.endedAt ?? 0,
          name: 'LongshoreError',
          message: `Run '${run.id}' ${state === 'failed' ? 'failed' : 'was cancelled'}: ${run.reason ?? 'no reason was kept'}`,
          stack: null,
          code: state === 'failed' ? 'RUN_FAILED' : 'RUN_CANCELLED',
        };
  return { state, result, error };
}

function jobSpec(key: string, run: RunValue, order: JobOrder, codec: PayloadCodec): JobSpec {
  const id = jobIdOf(run, order.as);
  const { task } = order;
  const places = {
    from: runPlace(run.id),
    to: inputOf({ task, id }),
    what: `the input of step '${order.step}'`,
  };
  const plan = planRefText({ plan: key, as: order.as });
  return {
    id,
    queue: order.queue,
    task,
    priority: order.priority,
    input: moved(codec, order.input, places),
    attemptsMax: order.attempts,
    delayMs: 0,
    dueAt: null,
    unique: null,
    key: null,
    meta: metaOf(run, order, plan),
  };
}

function metaOf(run: RunValue, { timeoutMs }: JobOrder, plan: string): string {
  const meta = run.meta === null ? {} : (JSON.parse(run.meta) as object);
  return JSON.stringify({ ...meta, ...(timeoutMs === null ? {} : { timeoutMs }), plan, flow: run.flow });
}

/** The id of the job that stands for a part of a run. */
export function jobIdOf(run: Pick<RunValue, 'id' | 'startedAt'>, as: string): string {
  return partId({ plan: runKey(run.id), as }, run.startedAt);
}

/** What a stop asks for: a job to be cancelled, or a report to a child run. */
export function stopOf(
  run: RunValue,
  { kind, as, step, gen }: StopOrder,
): { job: string } | { report: NewReport } {
  if (kind === 'job') return { job: jobIdOf(run, as) };
  const undo = run.phase === 'stopping' && run.compensates;
  return { report: runCancel(runKey(childId(run.id, { step, gen })), undo ? CANCEL_AND_UNDO : CANCEL) };
}

/** The report by which a run is asked to stop. */
export function runCancel(key: string, as: typeof CANCEL | typeof CANCEL_AND_UNDO = CANCEL): NewReport {
  return { plan: key, as, state: 'told', result: null, error: null };
}
