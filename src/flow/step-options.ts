import { LongshoreError, optionInvalid, show } from '../core/errors.ts';
import type { FailurePolicy, ParentRef } from '../core/flow/data.ts';
import { refTo, stepSource, type Template } from '../core/flow/template.ts';
import type { PriorityName } from '../core/job.ts';
import { knownNames } from '../core/options.ts';
import type { AnyDeclaration } from '../core/task.ts';
import { type Marker, makeRef, type Ref, type Shape } from './refs.ts';

/** What the steps of a flow are given by its author, and how steps refer to each other (builder.ts). */

/** Where a step stands, and what its failure means. */
export interface StepOptions {
  /** Steps, or branches of a decision, that have to end before this one starts. Steps that the input refers to need not be named. */
  readonly after?: readonly Parent[];
  /** The same for one: `on: route.manager`. */
  readonly on?: Parent;
  /** What follows when the step has failed for good; default: `compensate` where a step of the flow has an `undo`, else `fail`. */
  readonly failure?: FailurePolicy;
}

interface UndoStepOptions<Run> extends StepOptions {
  /** Runs when the run fails after this step completed, unless the failed step's `failure` says otherwise; given the step's result. */
  readonly undo?: AnyDeclaration | UndoOptions<Run>;
}

export interface UndoOptions<Run> {
  readonly task: AnyDeclaration;
  readonly input?: (from: { readonly run: Ref<Run>; readonly result: Ref<never> }) => unknown;
}

export interface JobStepOptions<Run, Given> extends UndoStepOptions<Run> {
  /** These four: the task's by default. */
  readonly queue?: string;
  readonly priority?: number | PriorityName;
  readonly attempts?: number;
  readonly timeoutMs?: number;
  /** Default: the run's input where there are no parents, the result of the only parent, else an object of the parents' results by name. */
  readonly input?: (from: { readonly run: Ref<Run> }) => Shape<Given>;
}

export interface EachOptions<Run, Given, Item> extends Omit<JobStepOptions<Run, Given>, 'input'> {
  /** A list that a step returned or the run was given; or a number, for as many jobs. */
  readonly over: Marker<readonly Item[]> | Marker<number> | readonly Item[] | number;
  /** Items a job takes: then `item` is a list of so many, or `{ from, to }` of a number. */
  readonly size?: number;
  /** Default: the item. */
  readonly input?: (from: {
    readonly run: Ref<Run>;
    readonly item: Ref<NoInfer<Item>>;
    readonly index: Marker<number>;
  }) => Shape<Given>;
}

export interface LoopOptions<Run, Given> extends Omit<JobStepOptions<Run, Given>, 'input'> {
  /** Default: `{ cursor }`. */
  readonly input?: (from: { readonly run: Ref<Run>; readonly cursor: Ref<never> }) => Shape<Given>;
}

export interface WaitOptions extends StepOptions {
  /** None by default. */
  readonly timeoutMs?: number;
  /** Default `fail`; with `continue` the result is null then. */
  readonly onTimeout?: 'fail' | 'continue';
  /** Default: the step's name. */
  readonly signal?: string;
}

export interface FlowStepOptions<Run, Given> extends StepOptions {
  readonly input?: (from: { readonly run: Ref<Run> }) => Shape<Given>;
}

/** As the builder reads the options of any step that runs jobs. */
export interface JobGiven {
  readonly queue?: string;
  readonly priority?: number | PriorityName;
  readonly attempts?: number;
  readonly timeoutMs?: number;
}

/** What some kind of step takes. */
export const KNOWN = knownNames<
  Record<
    | keyof JobStepOptions<unknown, unknown>
    | keyof EachOptions<unknown, unknown, unknown>
    | keyof WaitOptions
    | 'branches',
    unknown
  >
>({
  after: true,
  on: true,
  failure: true,
  undo: true,
  queue: true,
  priority: true,
  attempts: true,
  timeoutMs: true,
  input: true,
  over: true,
  size: true,
  onTimeout: true,
  signal: true,
  branches: true,
});

declare const STEP_TYPE: unique symbol;
const STEP = Symbol('longshore.step');
export const BRANCH = Symbol('longshore.branch');

/** A step as others refer to it. */
export type Handle<Result> = Ref<Result> & { readonly [STEP_TYPE]: true };

/** One branch of a decision. */
export interface Branch {
  readonly [BRANCH]: ParentRef;
}

/** By its handle or, for one that is defined further below, its name. */
export type Parent = { readonly [STEP_TYPE]: true } | Branch | string;

export function handle(name: string, extra: object = {}): never {
  return makeRef(stepSource(name), [], { [STEP]: name, ...extra });
}

export function parentRef(step: string, parent: unknown): ParentRef {
  if (typeof parent === 'string') {
    const [name = '', branch] = parent.split('.');
    return branch === undefined ? { step: name } : { step: name, branch };
  }
  if ((typeof parent === 'object' || typeof parent === 'function') && parent !== null) {
    const { [STEP]: name, [BRANCH]: branch } = parent as { [STEP]?: string; [BRANCH]?: ParentRef };
    if (branch !== undefined) return branch;
    if (name !== undefined) return { step: name };
  }
  throw wrong(step, `a parent is ${show(parent)}; expected a step, a branch of a decision, or a step's name`);
}

export function inputByParents(after: readonly ParentRef[]): Template {
  const names = [...new Set(after.map(({ step }) => step))];
  const [only] = names;
  if (only === undefined) return refTo('run');
  if (names.length === 1) return refTo(stepSource(only));
  return Object.fromEntries(names.map((name) => [name, refTo(stepSource(name))]));
}

export function inputOf(step: string): string {
  return `the input of step '${step}'`;
}

const STEP_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;

export function requireStepName(name: unknown): string {
  if (typeof name === 'string' && STEP_NAME.test(name)) return name;
  throw optionInvalid('the name of a step', name, 'a letter, then up to 99 letters, digits, _ and -');
}

export function requireBranches<B extends string>(step: string, branches: readonly B[]): readonly B[] {
  if (!Array.isArray(branches) || branches.length === 0)
    throw wrong(step, `branches is ${show(branches)}; expected a list of names`);
  for (const branch of branches) requireStepName(branch);
  return branches;
}

export function wrong(step: string, problem: string): LongshoreError {
  return new LongshoreError('FLOW_INVALID', `Step ${show(step)}: ${problem}.`, { details: { step } });
}
