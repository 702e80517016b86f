import type { FlowData, StepData } from './data.ts';
import type { Ranges } from './ranges.ts';

/**
 * The value of a run's plan. It grows by bytes a step, never by a line an item: results that are large, the pages of a
 * fan-out and the audit trail lie beside it, as kept texts of the plan (store/plans.ts), under the names below.
 */
export interface RunValue {
  readonly id: string;
  readonly flow: string;
  /** Digest of the definition the run began with. */
  readonly version: string;
  phase: RunPhase;
  /** What the run ends as once its running steps have ended and its completed ones are undone. */
  verdict: 'failed' | 'cancelled' | null;
  /** Undo what completed, when the run ends by `verdict`. */
  compensates: boolean;
  /** Why it did not complete. */
  reason: string | null;
  readonly startedAt: number;
  endedAt: number | null;
  /** Steps that began or were passed over; one that is absent waits for its parents. */
  readonly steps: Record<string, StepState>;
  /** Steps that were started anew, or are to be: how often. */
  readonly gens: Record<string, number>;
  /** Steps whose input was given by hand. */
  readonly given: Record<string, true>;
  /** Signals that came before their wait, by name: numbers of the first and of the last one kept. */
  readonly signals: Record<string, readonly [first: number, last: number]>;
  /** The plan reference of the parent's step, for a run that is a step. */
  readonly parent: string | null;
  /** JSON, as JobSpec.meta: correlation id, trace context, tags. All jobs of the run carry it. */
  readonly meta: string | null;
  /** Small texts that would lie beside the value otherwise, by the same names. */
  readonly inline: Record<string, string | null>;
  /** Steps that completed so far: the order in which they are undone. */
  completed: number;
  /** By-hand actions so far: each has a kept text. */
  audits: number;
  /** How often running steps were asked to stop. */
  stops: number;
}

/** `forward` while steps start; `stopping` while running ones are asked to end; `undoing` while completed ones are undone. */
export type RunPhase = 'forward' | 'stopping' | 'undoing' | 'ended';

export const RUN_STATES = ['running', 'waiting', 'blocked', 'completed', 'failed', 'cancelled'] as const;
export type RunState = (typeof RUN_STATES)[number];

export const STEP_STATES = [
  'pending',
  'running',
  'waiting',
  'completed',
  'failed',
  'skipped',
  'cancelled',
] as const;
export type StepStateName = (typeof STEP_STATES)[number];

export interface StepState {
  is: Exclude<StepStateName, 'pending'>;
  /** Times the step was started anew by hand: reports of earlier ones count no more. */
  gen: number;
  /** Of a step that a person ended: the `gen` of the last job it had; null for none. */
  ran?: number | null;
  from: number;
  to?: number;
  /** Place among the completed steps, from 1. */
  order?: number;
  error?: StepError;
  /** What becomes of the step once its last job has ended. */
  halt?: 'failed' | 'cancelled';
  /** Failed, and a person must decide. */
  blocked?: true;
  /** Failed, and the run goes on without its result. */
  passed?: true;
  /** Branches that run, of a decision. */
  chose?: readonly string[];
  /** When a wait or a sleep ends, in ms since the epoch. */
  until?: number;
  /** Of a step with an undo. */
  undo?: UndoState;
  items?: ItemsState;
  /** Of a loop: jobs that ended. The last one's result is the step's. */
  turns?: number;
}

/** A fan-out: how far it got. */
export interface ItemsState {
  of: number;
  /** Indexes that are still to be enqueued. */
  todo: Ranges;
  /** Jobs enqueued and not ended. */
  live: number;
  completed: number;
  failed: Ranges;
  /** While jobs are being asked to stop: the first index that was not asked. */
  asked?: number;
  /** Kept texts with results so far. */
  pages: number;
}

export interface UndoState {
  is: 'running' | 'completed' | 'failed' | 'skipped';
  gen: number;
}

export interface StepError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
}

/** Signals of one name that a run keeps until a wait takes them; with one more, the oldest is dropped. */
export const SIGNALS_MAX = 100;

/** Names of kept texts. */
export const KEPT = {
  input: 'input',
  result: 'result',
  resultOf: (step: string): string => `result:${step}`,
  /** Given by hand, instead of what the template says. */
  inputOf: (step: string): string => `input:${step}`,
  page: (step: string, page: number): string => `page:${step}:${page}`,
  /** A later signal takes the place of one that is over, so that a run does not grow with every signal. */
  signal: (name: string, no: number): string => `signal:${name}:${no % SIGNALS_MAX}`,
  audit: (no: number): string => `audit:${no}`,
} as const;

export function newRun(
  given: Pick<RunValue, 'id' | 'flow' | 'version' | 'startedAt' | 'parent' | 'meta'>,
): RunValue {
  return {
    ...given,
    phase: 'forward',
    verdict: null,
    compensates: false,
    reason: null,
    endedAt: null,
    steps: {},
    gens: {},
    given: {},
    signals: {},
    inline: {},
    completed: 0,
    audits: 0,
    stops: 0,
  };
}

/** A run out of its plan. */
export function parseRun(value: string): RunValue {
  return copyOf(JSON.parse(value) as RunValue);
}

/**
 * A copy that may be changed. Its maps have no prototype, so that a step may be called `constructor`. By hand, since a
 * structured clone and a change of prototypes take ten times as long, and every decision needs a copy.
 */
export function copyOf(run: RunValue): RunValue {
  const { steps, gens, given, signals, inline } = run;
  return {
    ...run,
    steps: mapOf(steps),
    gens: mapOf(gens),
    given: mapOf(given),
    signals: mapOf(signals),
    inline: mapOf(inline),
  };
}

function mapOf<Value>(map: Readonly<Record<string, Value>>): Record<string, Value> {
  const copy: Record<string, Value> = Object.create(null);
  for (const key of Object.keys(map)) copy[key] = copyOfPart(map[key]) as Value;
  return copy;
}

/** Of JSON whose objects have known names. */
function copyOfPart(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part)) return part.map(copyOfPart);
  const copy: Record<string, unknown> = { ...part };
  for (const key in copy) if (typeof copy[key] === 'object') copy[key] = copyOfPart(copy[key]);
  return copy;
}

/** A run waits for a person before anything else, and only waits when nothing runs. */
export function runState(run: RunValue): RunState {
  if (run.phase === 'ended') return run.verdict ?? 'completed';
  const steps = Object.values(run.steps);
  if (steps.some(isBlocked)) return 'blocked';
  if (steps.some(({ is, undo }) => is === 'running' || undo?.is === 'running')) return 'running';
  return steps.some(({ is }) => is === 'waiting') ? 'waiting' : 'running';
}

export function isBlocked({ blocked, undo }: StepState): boolean {
  return blocked === true || undo?.is === 'failed';
}

/** Jobs, child runs and waits of the step may still bring something. */
export function isLive({ is }: StepState): boolean {
  return is === 'running' || is === 'waiting';
}

/** When the rule has to look again by itself. */
export function runWakeAt(run: RunValue, flow: FlowData): number | null {
  const times = flow.steps.flatMap(({ name }: StepData) => {
    const state = run.steps[name];
    return state?.is === 'waiting' && state.until !== undefined ? [state.until] : [];
  });
  return times.length === 0 ? null : Math.min(...times);
}
