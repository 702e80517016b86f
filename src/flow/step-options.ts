import { LongshoreError, optionInvalid, show } from '../core/errors.ts';
import type { FailurePolicy, ParentRef } from '../core/flow/data.ts';
import { ITEMS_MAX } from '../core/flow/launch.ts';
import { isRefNode, refTo, stepSource, type Template } from '../core/flow/template.ts';
import type { PriorityName } from '../core/job.ts';
import { knownNames } from '../core/options.ts';
import type { AnyDeclaration } from '../core/task.ts';
import { type Marker, makeRef, type Ref, refText, type Shape } from './refs.ts';

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

interface UndoStepOptions<Run, Result> extends StepOptions {
  /** Runs when the run fails after this step completed, unless the failed step's `failure` says otherwise; given the step's result. */
  readonly undo?: AnyDeclaration | UndoOptions<Run, Result>;
}

export interface UndoOptions<Run, Result> {
  readonly task: AnyDeclaration;
  /** Default: the step's result. */
  readonly input?: (from: { readonly run: Ref<Run>; readonly result: Ref<Result> }) => unknown;
}

interface JobOptions<Run, Result> extends UndoStepOptions<Run, Result> {
  /** These four: the task's by default. */
  readonly queue?: string;
  readonly priority?: number | PriorityName;
  readonly attempts?: number;
  readonly timeoutMs?: number;
}

export interface JobStepOptions<Run, Given, Result> extends JobOptions<Run, Result> {
  /** Default: the run's input where there are no parents, the result of the only parent, else an object of the parents' results by name. */
  readonly input?: (from: { readonly run: Ref<Run> }) => Shape<Given>;
}

/** A list that a step returned or the run was given; or a number, for as many jobs. */
export type Over = Marker<readonly unknown[]> | Marker<number> | readonly unknown[] | number;

/** What one job of a fan-out gets: an item or, with a size, a list of items or the bounds of a batch of numbers. */
export type ItemOf<O, Size> = O extends Marker<infer V> ? ItemIn<V, Size> : ItemIn<O, Size>;

type ItemIn<V, Size> = V extends readonly (infer Item)[]
  ? Size extends number
    ? Item[]
    : Item
  : Size extends number
    ? { from: number; to: number }
    : number;

export interface EachOptions<Run, Result, O extends Over, Size> extends JobOptions<Run, Result> {
  readonly over: O;
  /** Items a job takes: then `item` is a list of so many, or `{ from, to }` of a number. */
  readonly size?: Size;
}

/** May be left out where the task takes the item as it is. */
export type EachInput<Run, Given, Item> = [Item] extends [Given]
  ? { readonly input?: EachInputOf<Run, Given, Item> }
  : { readonly input: EachInputOf<Run, Given, Item> };

type EachInputOf<Run, Given, Item> = (from: {
  readonly run: Ref<Run>;
  readonly item: Ref<Item>;
  readonly index: Marker<number>;
}) => Shape<Given>;

export interface LoopOptions<Run, Given, Result> extends JobOptions<Run, Result> {
  /** Default: `{ cursor }`. */
  readonly input?: (from: { readonly run: Ref<Run>; readonly cursor: Ref<CursorOf<Result>> }) => Shape<Given>;
}

/** Null for the first job. */
type CursorOf<Result> = Result extends { readonly cursor?: infer Cursor }
  ? Exclude<Cursor, undefined> | null
  : null;

export interface WaitOptions extends StepOptions {
  /** None by default. */
  readonly timeoutMs?: number;
  /** Default `fail`; with `continue` the result is null then. */
  readonly onTimeout?: 'fail' | 'continue';
  /** Default: the step's name. */
  readonly signal?: string;
}

/** The signal that a step waits for. */
export type SignalName<N, W> = W extends { readonly signal: infer Signal extends string } ? Signal : N;

export interface FlowStepOptions<Run, Given, Result> extends UndoStepOptions<Run, Result> {
  readonly input?: (from: { readonly run: Ref<Run> }) => Shape<Given>;
}

/** As the builder reads the options of any step that runs jobs. */
export interface JobGiven {
  readonly queue?: string;
  readonly priority?: number | PriorityName;
  readonly attempts?: number;
  readonly timeoutMs?: number;
}

const WHERE = { after: true, on: true, failure: true } as const;
const OF_JOBS = {
  ...WHERE,
  undo: true,
  queue: true,
  priority: true,
  attempts: true,
  timeoutMs: true,
} as const;

/** What each kind of step takes. */
export const KNOWN = {
  step: knownNames<JobStepOptions<unknown, unknown, unknown>>({ ...OF_JOBS, input: true }),
  decide: knownNames<JobStepOptions<unknown, unknown, unknown> & { branches: unknown }>({
    ...OF_JOBS,
    input: true,
    branches: true,
  }),
  each: knownNames<EachOptions<unknown, unknown, Over, number> & { input: unknown }>({
    ...OF_JOBS,
    over: true,
    size: true,
    input: true,
  }),
  loop: knownNames<LoopOptions<unknown, unknown, unknown>>({ ...OF_JOBS, input: true }),
  wait: knownNames<WaitOptions>({ ...WHERE, timeoutMs: true, onTimeout: true, signal: true }),
  sleep: knownNames<StepOptions>(WHERE),
  flow: knownNames<FlowStepOptions<unknown, unknown, unknown>>({ ...WHERE, undo: true, input: true }),
  undo: knownNames<UndoOptions<unknown, unknown>>({ task: true, input: true }),
} as const;

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
  throw wrong(
    step,
    `a parent is ${refText(parent) ?? show(parent)}; expected a step, a branch of a decision, or a step's name`,
  );
}

export function inputByParents(after: readonly ParentRef[]): Template {
  const names = [...new Set(after.map(({ step }) => step))];
  const [only] = names;
  if (only === undefined) return refTo('run');
  if (names.length === 1) return refTo(stepSource(only));
  return Object.fromEntries(names.map((name) => [name, refTo(stepSource(name))]));
}

const STEP_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;

export function requireStepName(name: unknown, what = 'the name of a step'): string {
  if (typeof name === 'string' && STEP_NAME.test(name)) return name;
  throw optionInvalid(what, name, 'a letter, then up to 99 letters, digits, _ and -');
}

export function requireBranches<B extends string>(step: string, branches: readonly B[]): readonly B[] {
  if (!Array.isArray(branches) || branches.length === 0)
    throw wrong(step, `branches is ${show(branches)}; expected a list of names`);
  for (const branch of branches) requireStepName(branch, `a branch of step ${show(step)}`);
  const twice = branches.find((branch, index) => branches.indexOf(branch) !== index);
  if (twice !== undefined)
    throw wrong(step, `there are two branches ${show(twice)}; give one of them another name`);
  return branches;
}

/** What is known of it while the flow is defined. */
export function requireOver(step: string, over: Template): void {
  if (isRefNode(over) || Array.isArray(over)) return;
  if (typeof over === 'number' && Number.isInteger(over) && over >= 0 && over <= ITEMS_MAX) return;
  throw wrong(
    step,
    `over is ${show(over)}; expected a list, a whole number up to ${ITEMS_MAX}, or a reference to one`,
  );
}

export function wrong(step: string, problem: string): LongshoreError {
  return new LongshoreError('FLOW_INVALID', `Step ${show(step)}: ${problem}.`, { details: { step } });
}
