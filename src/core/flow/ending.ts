import { runsJobs, type StepData } from './data.ts';
import type { Draft } from './draft.ts';
import { faultOf, orderJob } from './launch.ts';
import { partText } from './names.ts';
import { KEPT, type RunValue, type StepState } from './run.ts';
import { askItemsToStop } from './stop-items.ts';
import { resolve } from './template.ts';

/** The way a run ends: it completes, or what runs is stopped, what completed is undone if so wished, and it fails or is cancelled. */
export function endOrGoOn(draft: Draft): void {
  const { run, flow } = draft;
  if (run.phase === 'forward' && run.verdict === null) judge(draft);
  if (run.phase === 'forward' && run.verdict !== null) beginToStop(draft);
  if (run.phase === 'stopping' && !flow.steps.some(({ name }) => isStillLive(run.steps[name])))
    beginToUndo(draft);
  if (run.phase === 'undoing') undoNext(draft);
}

function judge(draft: Draft): void {
  const { run, flow } = draft;
  const failed = flow.steps.filter(
    ({ name }) => run.steps[name]?.is === 'failed' && run.steps[name]?.blocked !== true,
  );
  const fatal = failed.find(({ failure }) => failure === 'fail' || failure === 'compensate');
  if (fatal !== undefined) {
    const { error } = run.steps[fatal.name] as StepState;
    run.verdict = 'failed';
    run.compensates = failed.some(({ failure }) => failure === 'compensate');
    run.reason = `step '${fatal.name}' failed: ${error?.message ?? 'no error was kept'}`;
  } else if (flow.steps.every(({ name }) => hasPassed(run.steps[name]))) complete(draft);
}

function hasPassed(state: StepState | undefined): boolean {
  return state !== undefined && state.blocked !== true && state.is !== 'running' && state.is !== 'waiting';
}

function complete(draft: Draft): void {
  const { run, flow } = draft;
  draft.require(draft.namesFor([flow.result]));
  try {
    const result = resolve(flow.result, (source) => draft.read(source));
    draft.keep(KEPT.result, draft.codec.encode(result, `the result of run '${run.id}'`));
  } catch (error) {
    const fault = faultOf(error, 'its result');
    if (fault === null) throw error;
    run.verdict = 'failed';
    run.compensates = flow.steps.some(({ undo }) => undo !== undefined);
    run.reason = `the run's result cannot be made: ${fault.message}`;
    return;
  }
  end(draft);
}

function end({ run, now }: Draft): void {
  run.phase = 'ended';
  run.endedAt = now;
}

/** Asks what runs to stop. Waits and sleeps end at once. */
export function beginToStop(draft: Draft): void {
  const { run, flow } = draft;
  run.phase = 'stopping';
  for (const step of flow.steps) {
    const state = run.steps[step.name];
    if (state === undefined) continue;
    if (state.blocked) delete state.blocked;
    if (state.is === 'waiting') draft.move(step, 'cancelled');
    else if (state.is === 'running') {
      // A step that is ending by a failure of its own keeps that.
      state.halt ??= 'cancelled';
      if (state.items?.live === 0) draft.move(step, state.halt);
    }
  }
  askToStop(draft);
}

/** Again and again until they have ended: who was to carry this out may have died. */
export function askToStop(draft: Draft): void {
  const { run, flow, orders } = draft;
  run.stops += 1;
  for (const step of flow.steps) {
    const state = run.steps[step.name];
    if (state === undefined || !isStillLive(state)) continue;
    const of = { step: step.name, gen: state.gen };
    if (step.kind === 'each') askItemsToStop(state.items);
    else if (step.kind === 'flow')
      orders.stops.push({ kind: 'run', as: partText('s', step.name, state.gen), ...of });
    else if (step.kind === 'loop')
      orders.stops.push({ kind: 'job', as: partText('i', step.name, state.gen, state.turns ?? 0), ...of });
    else if (runsJobs(step))
      orders.stops.push({ kind: 'job', as: partText('s', step.name, state.gen), ...of });
  }
}

/** After how long running steps are asked to stop once more: 5 s, then twice as long each time, a minute at most. */
export function stopAgainMs(stops: number): number {
  return Math.min(5_000 * 2 ** Math.max(0, stops - 1), 60_000);
}

function isStillLive(state: StepState | undefined): boolean {
  return state?.is === 'running' || state?.is === 'waiting';
}

function beginToUndo(draft: Draft): void {
  draft.run.phase = 'undoing';
}

/** One after the other, the last one that completed first. */
function undoNext(draft: Draft): void {
  const { run } = draft;
  if (!run.compensates) {
    end(draft);
    return;
  }
  const left = undoable(draft).filter(({ name }) => !isUndone(run.steps[name]));
  if (left.some(({ name }) => run.steps[name]?.undo !== undefined)) return;
  const [next] = left;
  if (next === undefined) {
    end(draft);
    return;
  }
  orderUndo(draft, next, (run.steps[next.name] as StepState).gen);
}

/** Starts the undo of a step; by hand for the second time and later. */
export function orderUndo(draft: Draft, step: StepData, gen: number): void {
  const { undo, name, after } = step;
  const state = draft.run.steps[name] as StepState;
  if (undo === undefined) return;
  draft.require(draft.namesFor([undo.input]));
  try {
    const input = draft.codec.encode(
      resolve(undo.input, (source) => draft.read(source)),
      `the input of the undo of step '${name}'`,
    );
    state.undo = { is: 'running', gen };
    orderJob(draft, { ...undo, name, after }, partText('u', name, gen), input);
    draft.orders.moves.push({ step: name, to: 'undoing', error: null });
  } catch (error) {
    const fault = faultOf(error, name);
    if (fault === null) throw error;
    state.undo = { is: 'failed', gen };
    state.error = fault;
  }
}

function undoable({ run, flow }: Draft): StepData[] {
  return flow.steps
    .filter(({ name, undo }) => undo !== undefined && run.steps[name]?.is === 'completed')
    .sort((one, other) => orderOf(run, other) - orderOf(run, one));
}

function orderOf(run: RunValue, { name }: StepData): number {
  return run.steps[name]?.order ?? 0;
}

function isUndone(state: StepState | undefined): boolean {
  return state?.undo?.is === 'completed' || state?.undo?.is === 'skipped';
}
