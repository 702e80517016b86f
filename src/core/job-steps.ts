import type { PayloadPlace } from './payload.ts';

/**
 * Durable steps of a job: what its handler keeps by `ctx.step`, `ctx.sleep` and `ctx.waitFor`. They are a plan (plan.ts)
 * beside the job, made by the first thing that is kept and deleted with the job's completion. Results, payloads of signals
 * and times are texts of their own there, so that a job with a thousand steps writes each of them once.
 */
export const JOB_STEPS_KIND = 'steps';

/** The plan's value. */
export interface JobSteps {
  /** Token of the lease whose attempt wrote last: an attempt that finds another one takes the plan over. */
  readonly owner: string | null;
  /** What the job sleeps or waits for since its last attempt. */
  readonly waits: readonly JobWait[];
}

export interface JobWait {
  readonly kind: 'sleep' | 'signal';
  readonly name: string;
  /** When it is over, in ms since the epoch; null: a signal alone ends it. */
  readonly until: number | null;
}

const KEY_START = 'steps/';

export function jobStepsKey(job: string): string {
  return `${KEY_START}${job}`;
}

export function jobOfSteps(key: string): string {
  return key.slice(KEY_START.length);
}

/** Names of kept texts, and what the text is. The same name may be a step's, a sleep's and a wait's, after a deploy. */
export const STEP_KEPT = {
  /** An entry: the result. */
  result: (name: string): string => `s:${name}`,
  /** An entry: the payload. */
  signal: (name: string): string => `w:${name}`,
  /** When a sleep is over, in ms since the epoch. */
  sleep: (name: string): string => `z:${name}`,
  /** When a wait times out; `never` for one without a timeout. */
  timeout: (name: string): string => `u:${name}`,
  /** An entry without text: the wait has timed out. */
  timedOut: (name: string): string => `t:${name}`,
} as const;

export type StepKept = keyof typeof STEP_KEPT;

const BY_MARK: Readonly<Record<string, StepKept>> = {
  s: 'result',
  w: 'signal',
  z: 'sleep',
  u: 'timeout',
  t: 'timedOut',
};

/** What a kept text is; null for one of a newer version. */
export function parseKept(kept: string): { readonly is: StepKept; readonly name: string } | null {
  const is = BY_MARK[kept.slice(0, kept.indexOf(':'))];
  return is === undefined ? null : { is, name: kept.slice(kept.indexOf(':') + 1) };
}

/** A sealed payload with the time at which it was kept. */
export interface StepEntry {
  readonly at: number;
  /** Null: there was none. */
  readonly text: string | null;
}

export function entryText({ at, text }: StepEntry): string {
  return `${Math.floor(at)} ${text ?? ''}`;
}

export function parseEntry(entry: string): StepEntry {
  const end = entry.indexOf(' ');
  const text = entry.slice(end + 1);
  return { at: Number(entry.slice(0, end)), text: text === '' ? null : text };
}

const NEVER = 'never';

export function untilText(until: number | null): string {
  return until === null ? NEVER : String(until);
}

export function parseUntil(text: string): number | null {
  return text === NEVER ? null : Number(text);
}

/** A payload that was kept opens as what it was kept as, and nowhere else. */
export function stepPlace(job: string, kept: string): PayloadPlace {
  return { role: 'step', id: job, name: kept };
}

/** So often somebody looks whether the job is still there: what its end left behind is deleted then. */
export const JOB_STEPS_CHECK_MS = 86_400_000;

/** A job that waits for a signal without a timeout runs so often, finds nothing, and waits on. */
export const WAIT_MAX_MS = 30 * 86_400_000;

/** How long a job has nothing to do: until its first sleep or timeout is over. */
export function waitMs(waits: readonly JobWait[], now: number): number {
  let ms = WAIT_MAX_MS;
  for (const { until } of waits) if (until !== null) ms = Math.min(ms, until - now);
  return Math.max(0, ms);
}

/** What a plan change says of any job's steps. */
export function jobStepsChange(
  { job, task, version }: { readonly job: string; readonly task: string; readonly version: number },
  steps: JobSteps,
  wakeAt: number,
) {
  return {
    key: jobStepsKey(job),
    kind: JOB_STEPS_KIND,
    label: task,
    state: steps.waits.length === 0 ? 'running' : 'waiting',
    version,
    value: JSON.stringify(steps),
    wakeAt,
    expiresAt: null,
  };
}
