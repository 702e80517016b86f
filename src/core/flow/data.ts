import type { Template } from './template.ts';

/**
 * A flow as data: what `defineFlow` builds and a run keeps. It names tasks and holds no code, so any worker can go on
 * with any run, and a deploy strands none.
 */
export interface FlowData {
  readonly name: string;
  /** Parents stand before their children. */
  readonly steps: readonly StepData[];
  /** The run's result. */
  readonly result: Template;
  /** How long an ended run is kept, in ms; null keeps it for ever. */
  readonly keptMs: number | null;
}

/** A parent, or one branch of a parent that decides. */
export interface ParentRef {
  readonly step: string;
  readonly branch?: string;
}

/**
 * The policy when a step has failed for good: the run fails (`fail`), the run fails and the steps that completed are
 * undone in reverse order (`compensate`), the run goes on with `null` as the step's result (`continue`), or the run waits
 * for a person (`block`).
 */
export const FAILURE_POLICIES = ['fail', 'compensate', 'continue', 'block'] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

interface StepBase {
  readonly name: string;
  readonly after: readonly ParentRef[];
  readonly failure: FailurePolicy;
  /** Runs when the run is compensated, if the step completed. */
  readonly undo?: UndoData;
  /** Another step or the run's result needs what this step returned. */
  readonly used: boolean;
}

/** The job a step enqueues. */
export interface JobData {
  readonly task: string;
  readonly queue: string;
  readonly priority: number;
  readonly attempts: number;
  /** `null`: the task's own. */
  readonly timeoutMs: number | null;
  readonly input: Template;
}

export type UndoData = JobData;

/** One job. */
export interface TaskStep extends StepBase, JobData {
  readonly kind: 'task';
}

/** One job whose result names the branches that run: a text, a list of texts, or null for none. */
export interface DecideStep extends StepBase, JobData {
  readonly kind: 'decide';
  readonly branches: readonly string[];
}

/** A job for each item of a list, and a join. The input may refer to `item` and `index`. */
export interface EachStep extends StepBase, JobData {
  readonly kind: 'each';
  /** Resolves to a list; to a number, which stands for the numbers below it. */
  readonly over: Template;
  /** Items of one job; null: one, and `item` is the item itself, not a list. */
  readonly size: number | null;
}

/** A job after another until one returns no cursor. Each gets the cursor of the one before as `cursor`. */
export interface LoopStep extends StepBase, JobData {
  readonly kind: 'loop';
}

/** Waits for a signal. */
export interface WaitStep extends StepBase {
  readonly kind: 'wait';
  readonly signal: string;
  /** Null waits for ever. */
  readonly timeoutMs: number | null;
  readonly onTimeout: 'fail' | 'continue';
}

export interface SleepStep extends StepBase {
  readonly kind: 'sleep';
  /** A number of ms. */
  readonly ms: Template;
}

/** A run of another flow. */
export interface FlowStep extends StepBase {
  readonly kind: 'flow';
  readonly flow: string;
  /** Digest of that flow's data. */
  readonly version: string;
  readonly input: Template;
}

export type StepData = TaskStep | DecideStep | EachStep | LoopStep | WaitStep | SleepStep | FlowStep;

/** Steps whose work is done by jobs. */
export type JobStep = TaskStep | DecideStep | EachStep | LoopStep;

export function runsJobs(step: StepData): step is JobStep {
  return step.kind === 'task' || step.kind === 'decide' || step.kind === 'each' || step.kind === 'loop';
}

export function stepNamed(flow: FlowData, name: string): StepData | undefined {
  return flow.steps.find((step) => step.name === name);
}
