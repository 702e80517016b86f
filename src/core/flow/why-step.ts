import type { Reason, ReasonCode } from '../why.ts';

/** Why a step of a run does not run: the rule for what its job cannot tell (core/why.ts). */
export type StepReasonCode =
  | ReasonCode
  | 'runEnded'
  | 'stepEnded'
  | 'decideByHand'
  | 'waitsForSteps'
  | 'waitsForSignal'
  | 'sleeps'
  | 'waitsForRun'
  | 'waitsForItems';

export interface StepReason extends Omit<Reason, 'code'> {
  readonly code: StepReasonCode;
}

/** A step as it is looked at (flow/run-view.ts). */
export interface SeenStep {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly blocked: boolean;
  readonly waitsFor: readonly string[];
  readonly signal: string | null;
  readonly until: number | null;
  readonly run: string | null;
  readonly items: { readonly of: number; readonly completed: number; readonly failed: number } | null;
}

/** Null where the job of the step has to say. */
export function whyStep(
  step: SeenStep,
  run: { readonly ended: boolean; readonly state: string },
): StepReason | null {
  const { name, state, waitsFor, signal, items, until } = step;
  if (step.blocked)
    return of(
      'decideByHand',
      `It failed, and a person must decide: retry, complete, resolve or skip '${name}'.`,
    );
  if (run.ended) return of('runEnded', `Its run has ended: it is ${run.state}.`);
  if (state === 'pending' && waitsFor.length > 0)
    return of('waitsForSteps', `It waits for ${waitsFor.map((one) => `'${one}'`).join(', ')}.`);
  if (state !== 'pending' && state !== 'running' && state !== 'waiting')
    return of('stepEnded', `It has ended: it is ${state}.`);
  if (state === 'waiting' && signal !== null)
    return of('waitsForSignal', `It waits for the signal '${signal}'${untilText(until)}.`, until);
  if (state === 'waiting') return of('sleeps', `It sleeps${untilText(until)}.`, until);
  if (step.run !== null) return of('waitsForRun', `It waits for run '${step.run}'.`);
  if (items !== null)
    return of('waitsForItems', `${items.completed + items.failed} of its ${items.of} items have ended.`);
  return null;
}

function untilText(until: number | null): string {
  return until === null ? '' : `, until ${new Date(until).toISOString()}`;
}

function of(code: StepReasonCode, text: string, until: number | null = null): StepReason {
  return { code, text, until };
}
