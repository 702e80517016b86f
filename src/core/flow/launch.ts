import { isMs, LongshoreError, show } from '../errors.ts';
import type { EachStep, JobData, JobStep, LoopStep, StepData } from './data.ts';
import type { Draft } from './draft.ts';
import { partText } from './names.ts';
import { rangesOf, takeFirst } from './ranges.ts';
import { readiness } from './ready.ts';
import { cursorIn } from './reports.ts';
import { KEPT, type StepError, type StepState } from './run.ts';
import { askItemsToStop } from './stop-items.ts';
import { PathMissing, resolve, type Template } from './template.ts';

/** Jobs of one commit. What is left of a fan-out goes with the next one, from where this one stopped. */
const JOBS_MAX = 1_000;

/** Starts what may start and passes over what may not run; until nothing more follows. */
export function startSteps(draft: Draft): void {
  const { flow, run } = draft;
  const ready = flow.steps.filter(
    (step) => run.steps[step.name] === undefined && readiness(run, step) === 'start',
  );
  draft.require(draft.namesFor(ready.flatMap(templatesOf)));
  // Parents come before their children, so one pass meets all that follows from it but for what starts and ends at once.
  for (const step of flow.steps) {
    if (run.steps[step.name] !== undefined) continue;
    const verdict = readiness(run, step);
    if (verdict === 'skip') draft.move(step, 'skipped');
    else if (verdict === 'start') startStep(draft, step);
  }
  for (const step of flow.steps) {
    const state = run.steps[step.name];
    if (step.kind === 'each' && state?.is === 'running') goOn(draft, step, state);
    else if (step.kind === 'loop' && state?.is === 'waiting') nextTurn(draft, step, state);
  }
}

function templatesOf(step: StepData): Template[] {
  if (step.kind === 'sleep') return [step.ms];
  if (step.kind === 'wait') return [];
  return step.kind === 'each' ? [step.over, step.input] : [step.input];
}

/** Its own failure, where what it needs is not there; never that of the run's rule. */
export function startStep(draft: Draft, step: StepData): void {
  try {
    launch(draft, step);
  } catch (error) {
    const fault = faultOf(error, step.name);
    if (fault === null) throw error;
    draft.fail(step, fault);
  }
}

/** The others, such as a key that this planner lacks, say nothing of the step: another one may decide. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  'FLOW_PATH_MISSING',
  'FLOW_NO_LIST',
  'FLOW_NO_TIME',
  'PAYLOAD_TOO_LARGE',
  'PAYLOAD_NOT_JSON',
]);

/** Null for what is no fault of the step's. */
export function faultOf(error: unknown, step: string): StepError | null {
  if (error instanceof PathMissing)
    return {
      name: 'LongshoreError',
      code: 'FLOW_PATH_MISSING',
      message: `The input of step '${step}' cannot be made: ${error.message}.`,
    };
  if (!(error instanceof LongshoreError) || !OWN_FAULTS.has(error.code)) return null;
  return { name: error.name, code: error.code, message: error.message };
}

function launch(draft: Draft, step: StepData): void {
  switch (step.kind) {
    case 'wait':
      startWait(draft, step);
      return;
    case 'sleep':
      startSleep(draft, step);
      return;
    case 'flow': {
      const input = inputOf(draft, step, (source) => draft.read(source));
      const { gen } = draft.move(step, 'running');
      draft.orders.runs.push({
        as: partText('s', step.name, gen),
        step: step.name,
        gen,
        flow: step.flow,
        version: step.version,
        input,
      });
      return;
    }
    case 'each':
      startItems(draft, step);
      return;
    case 'loop': {
      const state = draft.move(step, 'running', { turns: 0 });
      orderTurn(draft, step, state, null);
      return;
    }
    default: {
      const input = inputOf(draft, step, (source) => draft.read(source));
      const { gen } = draft.move(step, 'running');
      orderJob(draft, step, partText('s', step.name, gen), input);
    }
  }
}

function startWait(draft: Draft, step: StepData & { kind: 'wait' }): void {
  const { timeoutMs } = step;
  draft.move(step, 'waiting', timeoutMs === null ? {} : { until: timeIn(draft, timeoutMs) });
  takeSignal(draft, step);
}

/** One that came before its wait counts. */
export function takeSignal(draft: Draft, step: StepData & { kind: 'wait' }): void {
  const [first, last] = draft.run.signals[step.signal] ?? [1, 0];
  if (first > last || draft.state(step.name)?.is !== 'waiting') return;
  const text = draft.text(KEPT.signal(step.signal, first));
  draft.run.signals[step.signal] = [first + 1, last];
  draft.keep(KEPT.resultOf(step.name), text);
  draft.move(step, 'completed');
}

function startSleep(draft: Draft, step: StepData & { kind: 'sleep' }): void {
  const ms = resolve(step.ms, (source) => draft.read(source));
  if (!isMs(ms))
    throw new LongshoreError(
      'FLOW_NO_TIME',
      `Step '${step.name}' is to sleep for ${show(ms)}; expected a number of ms, 0 or more and at most 1,000 years.`,
    );
  draft.move(step, 'waiting', { until: timeIn(draft, ms) });
}

/** Stores keep whole milliseconds. */
function timeIn({ now }: Draft, ms: number): number {
  return Math.ceil(now + ms);
}

// ── fan-out ────────────────────────────────────────────────────────────────────────────────────────────────────────

function startItems(draft: Draft, step: EachStep): void {
  const of = itemsOf(draft, step).length;
  const items = { of, todo: rangesOf(0, of - 1), live: 0, completed: 0, failed: [], pages: 0 };
  draft.move(step, 'running', { items });
}

interface Items {
  readonly length: number;
  at(index: number): unknown;
}

/** Throws LongshoreError for what is neither a list nor a whole number. */
function itemsOf(draft: Draft, { name, over, size }: EachStep): Items {
  const value = resolve(over, (source) => draft.read(source));
  const isCount = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= ITEMS_MAX;
  if (!isCount && !Array.isArray(value)) {
    throw new LongshoreError(
      'FLOW_NO_LIST',
      `Step '${name}' goes over ${value === null ? 'null' : typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 100)}`}; expected a list, or a whole number up to ${ITEMS_MAX}.`,
    );
  }
  const total = isCount ? value : (value as unknown[]).length;
  const item = (index: number): unknown => (isCount ? index : (value as unknown[])[index]);
  if (size === null) return { length: total, at: item };
  return {
    length: Math.ceil(total / size),
    at: (index) => {
      const from = index * size;
      const to = Math.min(from + size, total);
      return isCount ? { from, to } : (value as unknown[]).slice(from, to);
    },
  };
}

export const ITEMS_MAX = 10_000_000;

/** Enqueues the next page, and ends the step when its last job has ended. */
function goOn(draft: Draft, step: EachStep, state: StepState): void {
  const { items } = state;
  if (items === undefined) return;
  const room = JOBS_MAX - draft.orders.jobs.length;
  if (state.error !== undefined && state.halt === undefined) stopItems(state);
  if (state.halt === undefined && items.todo.length > 0) {
    if (room > 0) {
      try {
        enqueueItems(draft, step, state, room);
      } catch (error) {
        const fault = faultOf(error, step.name);
        if (fault === null) throw error;
        state.error = fault;
        stopItems(state);
      }
    }
    if (state.halt === undefined && items.todo.length > 0) {
      draft.more = true;
      return;
    }
  }
  if (items.live > 0) return;
  if (state.halt === 'cancelled') draft.move(step, 'cancelled');
  else if (state.halt === 'failed') draft.fail(step, state.error ?? NO_ERROR);
  else draft.move(step, 'completed');
}

const NO_ERROR: StepError = { name: 'Error', message: 'an item failed', code: null };

function enqueueItems(draft: Draft, step: EachStep, state: StepState, room: number): void {
  const items = state.items as NonNullable<StepState['items']>;
  draft.require(draft.namesFor([step.over, step.input]));
  const list = itemsOf(draft, step);
  const { taken, rest } = takeFirst(items.todo, room);
  const orders = taken.map((index) => {
    const read = (source: string): unknown => {
      if (source === 'item') return list.at(index);
      return source === 'index' ? index : draft.read(source);
    };
    return {
      index,
      input: draft.codec.encode(
        resolve(step.input, read),
        `the input of item ${index} of step '${step.name}'`,
      ),
    };
  });
  for (const { index, input } of orders)
    orderJob(draft, step, partText('i', step.name, state.gen, index), input);
  items.todo = rest;
  items.live += taken.length;
}

/** One item failed for good, and the step does not go on without it: what was enqueued is stopped, the rest never starts. */
function stopItems(state: StepState): void {
  state.halt = 'failed';
  askItemsToStop(state.items);
}

// ── loop ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function nextTurn(draft: Draft, step: LoopStep, state: StepState): void {
  try {
    const cursor = cursorIn(draft.decoded(KEPT.resultOf(step.name)));
    draft.require(draft.namesFor([step.input]));
    orderTurn(draft, step, state, cursor);
    state.is = 'running';
  } catch (error) {
    const fault = faultOf(error, step.name);
    if (fault === null) throw error;
    draft.fail(step, fault);
  }
}

function orderTurn(draft: Draft, step: LoopStep, state: StepState, cursor: unknown): void {
  const input = inputOf(draft, step, (source) => (source === 'cursor' ? cursor : draft.read(source)));
  orderJob(draft, step, partText('i', step.name, state.gen, state.turns ?? 0), input);
}

// ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Encoded. What a person gave by hand wins over the template. */
function inputOf(
  draft: Draft,
  step: StepData & { readonly input: Template },
  read: (source: string) => unknown,
): string | null {
  if (draft.run.given[step.name]) return draft.text(KEPT.inputOf(step.name));
  return draft.codec.encode(resolve(step.input, read), `the input of step '${step.name}'`);
}

/** Steps with parents go before first steps: a run that has begun ends before another one starts. */
const AHEAD = 1;

export function orderJob(
  draft: Draft,
  step: Pick<JobStep, 'name' | 'after'> & JobData,
  as: string,
  input: string | null,
): void {
  const { task, queue, attempts, timeoutMs } = step;
  const priority = Math.max(step.priority - (step.after.length > 0 ? AHEAD : 0), PRIORITY_MIN);
  draft.orders.jobs.push({ as, step: step.name, task, queue, priority, attempts, timeoutMs, input });
}

const PRIORITY_MIN = -(2 ** 31 - 1);
