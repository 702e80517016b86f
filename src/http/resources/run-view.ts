import Type, { type Static } from 'typebox';
import { RUN_STATES, STEP_STATES } from '../../core/flow/run.ts';
import type { RunDetail, RunView } from '../../flow/run-view.ts';
import { Closed, Nullable, Payload, Time } from '../forms.ts';

/** A run as the API shows it. */
export const RunState = Type.Enum([...RUN_STATES]);

const SUMMARY = {
  id: Type.String(),
  flow: Type.String(),
  version: Type.String(),
  state: RunState,
  startedAt: Time,
  endedAt: Nullable(Time),
  reason: Nullable(Type.String({ description: 'Why it did not complete' })),
};

export const RunSummaryForm = Closed(SUMMARY);

const StepErrorForm = Type.Object({
  name: Type.String(),
  message: Type.String(),
  code: Nullable(Type.String()),
});

const StepForm = Closed({
  name: Type.String(),
  kind: Type.String(),
  state: Type.Enum([...STEP_STATES]),
  blocked: Type.Boolean({ description: 'Failed, and a person must decide' }),
  task: Nullable(Type.String()),
  after: Type.Array(Type.String(), { description: 'Steps it waits for, or branches as `step.branch`' }),
  parents: Type.Integer(),
  parentsEnded: Type.Integer(),
  waitsFor: Type.Array(Type.String(), { description: 'Parents that have not ended' }),
  startedAt: Nullable(Time),
  endedAt: Nullable(Time),
  error: Nullable(StepErrorForm),
  result: Payload,
  job: Nullable(
    Closed({
      id: Type.String(),
      state: Nullable(Type.String()),
      attempt: Type.Integer(),
      attemptsMax: Type.Integer(),
      nextAttemptAt: Nullable(Time),
    }),
  ),
  run: Nullable(Type.String({ description: 'The run of a step that is a flow' })),
  items: Nullable(
    Closed({
      of: Type.Integer(),
      completed: Type.Integer(),
      failed: Type.Integer(),
      running: Type.Integer(),
      waiting: Type.Integer(),
    }),
  ),
  chose: Nullable(Type.Array(Type.String(), { description: 'Branches that a decision chose' })),
  signal: Nullable(Type.String({ description: 'What a wait is for' })),
  until: Nullable(Time),
  undoTask: Nullable(Type.String({ description: 'The task that takes back what the step did' })),
  undo: Nullable(Type.Enum(['running', 'completed', 'failed', 'skipped'])),
  taskUnknown: Type.Boolean({ description: 'No live worker has its task' }),
});

export const RunForm = Closed({
  ...SUMMARY,
  input: Payload,
  result: Payload,
  parent: Nullable(Type.String()),
  steps: Type.Array(StepForm, { description: 'Parents stand before their children' }),
  audit: Type.Array(
    Closed({
      at: Time,
      action: Type.String(),
      by: Type.String(),
      why: Nullable(Type.String()),
      step: Nullable(Type.String()),
    }),
  ),
});

export function runSummary(run: RunView): Static<typeof RunSummaryForm> {
  return run as Static<typeof RunSummaryForm>;
}

export function runAnswer(run: RunDetail): Static<typeof RunForm> {
  return run as Static<typeof RunForm>;
}
