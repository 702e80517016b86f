import { LongshoreError } from '../errors.ts';
import { type DecideStep, type StepData, stepNamed } from './data.ts';
import type { Draft } from './draft.ts';
import { orderUndo } from './ending.ts';
import { partText } from './names.ts';
import { type Ranges, sizeOf } from './ranges.ts';
import { descendants } from './ready.ts';
import { chosenBy } from './reports.ts';
import { isLive, KEPT, runState, type StepState } from './run.ts';
import { askItemsToStop, askPage } from './stop-items.ts';

/** What a person does to a run by hand. Kept in its audit trail: who, when, why. */
export type Action = {
  readonly by: string;
  readonly why: string | null;
} & (
  | {
      readonly type: 'cancel';
      /** Undo what completed. */
      readonly compensate: boolean;
    }
  /** Starts a failed step, or the failed items of a fan-out, or a failed undo, once more, with its attempts counted from 0. */
  | { readonly type: 'retry'; readonly step: string; readonly input?: string | null }
  /** A failed step counts as completed, without a result. */
  | { readonly type: 'resolve'; readonly step: string }
  /** A step that has not completed counts as completed with this encoded result; its job is stopped. */
  | { readonly type: 'complete'; readonly step: string; readonly result: string | null }
  /** A step that has not completed is passed over, as if its branch had not been chosen; its job is stopped. */
  | { readonly type: 'skip'; readonly step: string }
);

/** As kept under KEPT.audit, in JSON. */
export interface RunAudit {
  readonly at: number;
  readonly action: Action['type'];
  readonly by: string;
  readonly why: string | null;
  readonly step: string | null;
}

/** Throws RUN_STATE_REFUSED, FLOW_STEP_UNKNOWN. */
export function applyAction(draft: Draft, action: Action): void {
  if (action.type === 'cancel') cancel(draft, action.compensate);
  else {
    const step = stepNamed(draft.flow, action.step);
    if (step === undefined) throw unknownStep(draft, action.step);
    act(draft, step, action);
  }
  const { type, by, why } = action;
  const step = 'step' in action ? action.step : null;
  draft.run.audits += 1;
  const entry: RunAudit = { at: draft.now, action: type, by, why, step };
  draft.keep(KEPT.audit(draft.run.audits), JSON.stringify(entry));
}

function cancel(draft: Draft, compensate: boolean): void {
  const { run } = draft;
  if (run.phase === 'ended') throw refused(draft, `it is ${run.verdict ?? 'completed'} already`, 'cancel');
  if (run.phase !== 'forward' && !draft.blocked)
    throw refused(draft, 'it is being stopped already', 'cancel');
  if (run.phase === 'undoing') {
    // A person gives the undoing up.
    run.compensates = false;
    for (const state of Object.values(run.steps)) if (state.undo?.is === 'failed') state.undo.is = 'skipped';
    return;
  }
  run.verdict = 'cancelled';
  run.compensates = compensate;
  run.reason = 'it was cancelled by hand';
}

function act(draft: Draft, step: StepData, action: Exclude<Action, { type: 'cancel' }>): void {
  const { run } = draft;
  const state = run.steps[step.name];
  if (run.phase === 'undoing' || state?.undo?.is === 'failed') {
    actOnUndo(draft, step, action);
    return;
  }
  if (run.phase === 'stopping') throw refused(draft, 'it is being stopped', action.type);
  if (action.type === 'retry') {
    retry(draft, step, state, action.input);
    return;
  }
  if (action.type === 'resolve' && state?.is !== 'failed')
    throw refused(draft, `step '${step.name}' is ${state?.is ?? 'pending'}`, action.type, 'a failed step');
  if (state !== undefined && (state.is === 'completed' || state.is === 'skipped'))
    throw refused(draft, `step '${step.name}' is ${state.is}`, action.type, 'a step that has not completed');
  if (run.phase === 'ended' && state?.is !== 'failed')
    throw refused(draft, `it is ${run.verdict ?? 'completed'} already`, action.type, 'a failed step of it');
  reopen(draft, step.name);
  stopWork(draft, step, state);
  const gen = draft.nextGen(step.name);
  const ran = state?.ran === undefined ? (state?.gen ?? null) : state.ran;
  // The results of a fan-out's jobs count no more.
  delete state?.items;
  if (action.type === 'skip') draft.move(step, 'skipped', { gen, ran });
  else {
    draft.keep(KEPT.resultOf(step.name), action.type === 'complete' ? action.result : null);
    draft.move(step, 'completed', {
      gen,
      ran,
      ...(step.kind === 'decide' ? { chose: chosen(draft, step) } : {}),
    });
  }
  cleared(draft, step);
}

/** A result by hand names branches as a job's does. */
function chosen(draft: Draft, step: DecideStep): readonly string[] {
  const chose = chosenBy(step, draft.decoded(KEPT.resultOf(step.name)));
  if ('branches' in chose) return chose.branches;
  throw new LongshoreError('FLOW_BRANCH_UNKNOWN', chose.fault.message, {
    details: { id: draft.run.id, step: step.name },
  });
}

/** What failed no longer stands in the way. */
function cleared(draft: Draft, { name }: StepData): void {
  const state = draft.run.steps[name] as StepState;
  delete state.blocked;
  delete state.error;
}

function actOnUndo(draft: Draft, step: StepData, action: Exclude<Action, { type: 'cancel' }>): void {
  const state = draft.run.steps[step.name];
  if (state?.undo?.is !== 'failed')
    throw refused(
      draft,
      `its steps are being undone, and the undo of '${step.name}' has not failed`,
      action.type,
      'a failed undo',
    );
  if (action.type === 'retry' && action.input !== undefined) throw takesNoInput(`the undo of '${step.name}'`);
  if (action.type === 'retry') orderUndo(draft, step, state.undo.gen + 1);
  else state.undo = { ...state.undo, is: 'skipped' };
}

function retry(
  draft: Draft,
  step: StepData,
  state: StepState | undefined,
  input: string | null | undefined,
): void {
  if (state?.is !== 'failed')
    throw refused(draft, `step '${step.name}' is ${state?.is ?? 'pending'}`, 'retry', 'a failed step');
  if (input !== undefined && !('input' in step && step.kind !== 'each'))
    throw takesNoInput(`step '${step.name}'`);
  reopen(draft, step.name);
  if (input !== undefined) {
    draft.keep(KEPT.inputOf(step.name), input);
    draft.run.given[step.name] = true;
  }
  const { items } = state;
  if (items === undefined || sizeOf(items.failed) === 0 || input !== undefined) {
    draft.restart(step.name);
    return;
  }
  // Completed steps are kept: only those that failed, or were never begun, run again.
  const todo = joined(items.todo, items.failed);
  draft.run.steps[step.name] = {
    is: 'running',
    gen: state.gen + 1,
    from: draft.now,
    items: { ...items, todo, failed: [], live: 0 },
  };
  draft.orders.moves.push({ step: step.name, to: 'running', error: null });
}

/** Ranges that touch become one. */
function joined(...sets: readonly Ranges[]): Ranges {
  const pairs: [number, number][] = [];
  for (const ranges of sets)
    for (let at = 0; at < ranges.length; at += 2)
      pairs.push([ranges[at] as number, ranges[at + 1] as number]);
  const all: number[] = [];
  for (const [first, last] of pairs.sort(([one], [other]) => one - other)) {
    if (all.at(-1) === first - 1) all[all.length - 1] = last;
    else all.push(first, last);
  }
  return all;
}

/** A run that failed goes on: what was stopped with it is pending again, and so is what was undone. */
function reopen(draft: Draft, by: string): void {
  const { run, flow } = draft;
  if (run.phase !== 'ended') return;
  run.phase = 'forward';
  run.endedAt = null;
  run.verdict = null;
  run.reason = null;
  run.compensates = false;
  run.stops = 0;
  for (const { name } of flow.steps) {
    const state = run.steps[name];
    if (state === undefined) continue;
    // A person has dealt with one of several that failed: the others wait for theirs.
    if (state.is === 'failed' && !state.passed && name !== by) state.blocked = true;
    if (state.is === 'cancelled' || state.undo?.is === 'completed') {
      for (const later of [name, ...descendants(flow, name)])
        if (run.steps[later]?.is !== 'failed') draft.restart(later);
    }
  }
}

/** Asks the jobs of a step to stop whose end no longer counts. */
function stopWork(draft: Draft, step: StepData, state: StepState | undefined): void {
  if (state === undefined || !isLive(state)) return;
  const { stops } = draft.orders;
  const of = { step: step.name, gen: state.gen };
  if (step.kind === 'each') {
    askItemsToStop(state.items);
    askPage(draft, step.name, state, Number.POSITIVE_INFINITY);
  } else if (step.kind === 'flow')
    stops.push({ kind: 'run', as: partText('s', step.name, state.gen), ...of });
  else if (step.kind === 'loop')
    stops.push({ kind: 'job', as: partText('i', step.name, state.gen, state.turns ?? 0), ...of });
  else if (step.kind !== 'wait' && step.kind !== 'sleep')
    stops.push({ kind: 'job', as: partText('s', step.name, state.gen), ...of });
}

/** Fan-outs make the inputs of their items; waits and sleeps have none. */
function takesNoInput(what: string): LongshoreError {
  return new LongshoreError('OPTION_INVALID', `${what} takes no input by hand; leave input out.`, {
    details: { field: 'input' },
  });
}

function refused(draft: Draft, why: string, action: string, expected?: string): LongshoreError {
  const { run } = draft;
  const hint = expected === undefined ? '' : ` '${action}' is for ${expected}.`;
  return new LongshoreError(
    'RUN_STATE_REFUSED',
    `Run '${run.id}' does not take '${action}': ${why}.${hint}`,
    {
      details: { id: run.id, state: runState(run), action },
    },
  );
}

function unknownStep(draft: Draft, step: string): LongshoreError {
  const names = draft.flow.steps.map(({ name }) => `'${name}'`).join(', ');
  return new LongshoreError(
    'FLOW_STEP_UNKNOWN',
    `Run '${draft.run.id}' of flow '${draft.flow.name}' has no step '${step}'; its steps are ${names}.`,
    { details: { id: draft.run.id, step } },
  );
}
