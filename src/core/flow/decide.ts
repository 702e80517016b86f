import { type Action, applyAction } from './actions.ts';
import { Draft, type DraftGiven, NeedsKept, type Orders } from './draft.ts';
import { askToStop, endOrGoOn, stopAgainMs } from './ending.ts';
import { startSteps, takeSignal } from './launch.ts';
import { applyReports, type RunReport } from './reports.ts';
import { type RunState, type RunValue, runState, runWakeAt } from './run.ts';
import { askPages, isAsking } from './stop-items.ts';

/**
 * THE rule of flows: a run, what was reported to it and the time -> its next value, and the jobs to enqueue. Pure: whoever
 * decides on the same value and reports decides the same, and the store takes one of them (store/plans.ts `commit`). Any
 * order, batching and repetition of reports enqueues the same jobs once.
 */
export interface RunDecision extends Orders {
  readonly run: RunValue;
  readonly state: RunState;
  /** When to decide again although nothing was reported; in the past where there is more to do at once. */
  readonly wakeAt: number | null;
  /** When the run may be forgotten; null while it lives. */
  readonly expiresAt: number | null;
}

export interface DecideGiven extends DraftGiven {
  readonly reports: readonly RunReport[];
  /** There are more reports: a signal among them came before the time that is now. */
  readonly more?: boolean;
  readonly action?: Action;
}

/** Kept texts to be read first, or the decision. Throws RUN_STATE_REFUSED for an action that the run's state does not allow. */
export function decideRun(given: DecideGiven): RunDecision | { readonly needs: readonly string[] } {
  const draft = new Draft(given);
  try {
    advance(draft, given);
  } catch (error) {
    if (error instanceof NeedsKept) return { needs: error.names };
    throw error;
  }
  const { run, flow, now, more } = draft;
  const expiresAt =
    run.endedAt === null || flow.keptMs === null ? null : Math.ceil(run.endedAt + flow.keptMs);
  return { ...draft.orders, run, state: runState(run), wakeAt: more ? now : wakeAt(draft), expiresAt };
}

function advance(draft: Draft, { reports, more = false, action }: DecideGiven): void {
  applyReports(draft, reports);
  if (action !== undefined) applyAction(draft, action);
  if (draft.run.phase === 'ended') return;
  const stoppedBefore = draft.run.phase === 'stopping';
  signalsAndTimes(draft, more);
  for (let moves = -1; moves !== draft.orders.moves.length; ) {
    moves = draft.orders.moves.length;
    if (draft.run.phase === 'forward' && draft.run.verdict === null) startSteps(draft);
    settleHalted(draft);
    endOrGoOn(draft);
  }
  const isAsked = Object.values(draft.run.steps).some(isAsking);
  if (
    stoppedBefore &&
    draft.run.phase === 'stopping' &&
    reports.length === 0 &&
    action === undefined &&
    !isAsked
  )
    askToStop(draft);
  askPages(draft);
}

/** A signal that comes in the instant of its timeout counts. */
function signalsAndTimes(draft: Draft, more: boolean): void {
  const { run, flow, now } = draft;
  if (run.phase !== 'forward') return;
  for (const step of flow.steps) {
    if (step.kind !== 'wait' && step.kind !== 'sleep') continue;
    if (step.kind === 'wait') takeSignal(draft, step);
    const state = run.steps[step.name];
    if (state?.is !== 'waiting' || state.until === undefined || state.until > now) continue;
    if (step.kind === 'wait' && more) continue;
    if (step.kind === 'sleep') draft.move(step, 'completed');
    else if (step.onTimeout === 'continue') draft.move(step, 'completed');
    else
      draft.fail(step, {
        name: 'LongshoreError',
        code: 'FLOW_WAIT_TIMED_OUT',
        message: `Step '${step.name}' waited ${step.timeoutMs} ms for the signal '${step.signal}', which did not come.`,
      });
  }
}

/** Fan-outs whose last job has ended while the run stops. */
function settleHalted(draft: Draft): void {
  if (draft.run.phase !== 'stopping') return;
  for (const step of draft.flow.steps) {
    const state = draft.run.steps[step.name];
    if (
      state?.is !== 'running' ||
      state.halt === undefined ||
      state.items === undefined ||
      state.items.live > 0
    )
      continue;
    if (state.halt === 'failed' && state.error !== undefined) draft.fail(step, state.error);
    else draft.move(step, state.halt);
  }
}

function wakeAt({ run, flow, now }: Draft): number | null {
  if (run.phase === 'forward') return runWakeAt(run, flow);
  return run.phase === 'stopping' ? now + stopAgainMs(run.stops) : null;
}
