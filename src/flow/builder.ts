import { requireInteger, requireMs, requireName, show } from '../core/errors.ts';
import { FAILURE_POLICIES, type FailurePolicy, type JobData, type StepData } from '../core/flow/data.ts';
import { refTo, STEP_SOURCE, sourcesOf, stepSource, type Template } from '../core/flow/template.ts';
import type { Jsonified } from '../core/jsonified.ts';
import { requireOptions } from '../core/options.ts';
import type { Schema, SchemaOutput } from '../core/schema.ts';
import {
  type AnyDeclaration,
  isTask,
  requireAttempts,
  requirePriority,
  requireQueue,
  type TaskGiven,
  type TaskResult,
} from '../core/task.ts';
import type { AnyFlow, FlowGiven, FlowResult, SignalPayload, SignalSchemas } from './flow.ts';
import { isRef, type Marker, makeRef, type Ref, templateOf } from './refs.ts';
import { SignalSet } from './signal-schemas.ts';
import {
  BRANCH,
  type Branch,
  type EachInput,
  type EachOptions,
  type FlowStepOptions,
  type Handle,
  handle,
  type ItemOf,
  inputByParents,
  type JobGiven,
  type JobStepOptions,
  KNOWN,
  type LoopOptions,
  type Over,
  parentRef,
  requireBranches,
  requireOver,
  requireStepName,
  type SignalName,
  type StepOptions,
  type UndoOptions,
  type WaitOptions,
  wrong,
} from './step-options.ts';

/** As it comes out of the store. */
type StepResult<T> = Jsonified<TaskResult<T>>;

/** Collects the steps of one flow. What it returns stands for what will be there when the run has come so far. */
export class StepBuilder<Run, G = SignalSchemas> {
  readonly steps: StepData[] = [];
  /** Flows that steps of this one run. */
  readonly flows = new Map<string, AnyFlow>();
  /** The run's input. */
  readonly input = makeRef('run') as Ref<Run>;
  readonly signals: SignalSet;

  constructor(signals: SignalSchemas | null = null) {
    this.signals = new SignalSet(signals);
  }

  /** One job. */
  step<T extends AnyDeclaration>(
    name: string,
    task: T,
    options: JobStepOptions<Run, TaskGiven<T>, StepResult<T>> = {},
  ): Handle<StepResult<T>> {
    requireOptions(`step ${show(name)}`, options, KNOWN.step);
    const input = this.#input(name, options, { run: this.input });
    const base = this.#base(name, options, input === null ? [] : [input]);
    this.#add({
      ...base,
      ...this.#job(name, task, options, input ?? inputByParents(base.after)),
      kind: 'task',
    });
    return handle(name);
  }

  /** One job whose result names the branches that run: one of `branches`, a list of them, or null for none. */
  decide<T extends AnyDeclaration, const B extends string>(
    name: string,
    task: T,
    options: JobStepOptions<Run, TaskGiven<T>, StepResult<T>> & { readonly branches: readonly B[] },
  ): Handle<StepResult<T>> & { readonly [K in B]: Branch } {
    requireOptions(`step ${show(name)}`, options, KNOWN.decide);
    const branches = requireBranches(name, options.branches);
    const input = this.#input(name, options, { run: this.input });
    const base = this.#base(name, options, input === null ? [] : [input]);
    const job = this.#job(name, task, options, input ?? inputByParents(base.after));
    this.#add({ ...base, ...job, kind: 'decide', branches });
    const extra = Object.fromEntries(
      branches.map((branch) => [branch, { [BRANCH]: { step: name, branch } }]),
    );
    return handle(name, extra);
  }

  /** A job for each item of a list; ends when all of them have. The result is the list of their results, null for one that failed. */
  each<T extends AnyDeclaration, const O extends Over, Size extends number | undefined = undefined>(
    name: string,
    task: T,
    options: EachOptions<Run, StepResult<T>, O, Size> &
      EachInput<Run, TaskGiven<T>, ItemOf<O, NoInfer<Size>>>,
  ): Handle<(StepResult<T> | null)[]> {
    requireOptions(`step ${show(name)}`, options, KNOWN.each);
    const from = { run: this.input, item: makeRef('item'), index: makeRef('index') };
    const over = templateOf(options.over, `over of step '${name}'`);
    requireOver(name, over);
    const size =
      options.size === undefined ? null : requireInteger(`size of step ${show(name)}`, options.size, 1);
    const input = this.#input(name, options, from) ?? refTo('item');
    const base = this.#base(name, options, [over, input]);
    this.#add({ ...base, ...this.#job(name, task, options, input), kind: 'each', over, size });
    return handle(name);
  }

  /**
   * A job after another, until one returns no `cursor`: for pages of an API, rows of a large table. The cursor is the
   * checkpoint: what is done is not done again. The first job gets `null`. The result is that of the last job.
   */
  loop<T extends AnyDeclaration>(
    name: string,
    task: T,
    options: LoopOptions<Run, TaskGiven<T>, StepResult<T>> = {},
  ): Handle<StepResult<T>> {
    requireOptions(`step ${show(name)}`, options, KNOWN.loop);
    const from = { run: this.input, cursor: makeRef('cursor') };
    const input = this.#input(name, options, from) ?? { cursor: refTo('cursor') };
    this.#add({
      ...this.#base(name, options, [input]),
      ...this.#job(name, task, options, input),
      kind: 'loop',
    });
    return handle(name);
  }

  /**
   * Waits for a signal, `run.signal(name, payload)`; holds no slot. One that came before counts. The result is the payload.
   * Without a schema it has the one that the flow declares in `signals`.
   */
  waitFor<
    const N extends string,
    S extends Schema<unknown, unknown> | null = null,
    const W extends WaitOptions = WaitOptions,
  >(
    name: N,
    schema: S = null as S,
    options: W = {} as W,
  ): Handle<S extends null ? SignalPayload<G, SignalName<N, W>> : Jsonified<SchemaOutput<S>>> {
    requireOptions(`step ${show(name)}`, options, KNOWN.wait);
    const { timeoutMs, onTimeout = 'fail', signal = name } = options;
    if (onTimeout !== 'fail' && onTimeout !== 'continue')
      throw wrong(name, `onTimeout is ${show(onTimeout)}; expected 'fail' or 'continue'`);
    this.#add({
      ...this.#base(name, options),
      kind: 'wait',
      signal: requireName('signal', signal),
      timeoutMs: timeoutMs === undefined ? null : requireMs(`timeoutMs of step ${show(name)}`, timeoutMs),
      onTimeout,
    });
    this.signals.await(name, signal, schema);
    return handle(name);
  }

  /** Waits for so many ms; holds no slot. */
  sleep(name: string, ms: number | Marker<number>, options: StepOptions = {}): Handle<null> {
    requireOptions(`step ${show(name)}`, options, KNOWN.sleep);
    if (!isRef(ms)) requireMs(`ms of step ${show(name)}`, ms);
    const template = templateOf(ms, `ms of step '${name}'`);
    this.#add({ ...this.#base(name, options, [template]), kind: 'sleep', ms: template });
    return handle(name);
  }

  /** A run of another flow; its result is that run's. */
  flow<F extends AnyFlow>(
    name: string,
    flow: F,
    options: FlowStepOptions<Run, FlowGiven<F>, FlowResult<F>> = {},
  ): Handle<FlowResult<F>> {
    requireOptions(`step ${show(name)}`, options, KNOWN.flow);
    if (typeof flow !== 'object' || flow === null || !('data' in flow))
      throw wrong(name, `the flow is ${show(flow)}; expected what defineFlow() returns`);
    const input = this.#input(name, options, { run: this.input });
    const base = this.#base(name, options, input === null ? [] : [input]);
    this.flows.set(flow.version, flow);
    this.#add({
      ...base,
      kind: 'flow',
      flow: flow.name,
      version: flow.version,
      input: input ?? inputByParents(base.after),
    });
    return handle(name);
  }

  #add(step: StepData): void {
    if (this.steps.some(({ name }) => name === step.name))
      throw wrong(step.name, 'there are two steps of this name; give one of them another');
    this.steps.push(step);
  }

  #base(given: string, options: StepOptions & { readonly undo?: unknown }, uses: readonly Template[] = []) {
    const name = requireStepName(given);
    const { failure, after = [], on, undo } = options;
    if (failure !== undefined && !FAILURE_POLICIES.includes(failure))
      throw wrong(
        name,
        `failure is ${show(failure)}; expected ${FAILURE_POLICIES.map((policy) => `'${policy}'`).join(', ')}`,
      );
    if (!Array.isArray(after)) throw wrong(name, `after is ${show(after)}; expected a list of steps`);
    const parents = [...after, ...(on === undefined ? [] : [on])].map((parent) => parentRef(name, parent));
    for (const source of uses.flatMap((template) => [...sourcesOf(template)])) {
      const step = source.startsWith(STEP_SOURCE) ? source.slice(STEP_SOURCE.length) : null;
      if (step !== null && !parents.some((parent) => parent.step === step)) parents.push({ step });
    }
    return {
      name,
      after: parents,
      // Made good when all steps are known (define.ts).
      failure: (failure ?? null) as FailurePolicy,
      used: true,
      ...(undo === undefined ? {} : { undo: this.#undo(name, undo) }),
    };
  }

  #undo(step: string, undo: unknown): JobData {
    const options = isTask(undo) ? { task: undo } : (undo as UndoOptions<Run, unknown>);
    if (!isTask(options?.task))
      throw wrong(step, `undo is ${show(undo)}; expected a task, or { task, input }`);
    if (options !== undo || !isTask(undo)) requireOptions(`undo of step ${show(step)}`, options, KNOWN.undo);
    const from = { run: this.input, result: makeRef(stepSource(step)) };
    const input = this.#input(step, options, from, 'the input of its undo') ?? refTo(stepSource(step));
    return this.#job(step, options.task, {}, input);
  }

  /** Asked for once, since it may define steps on its way; null where none is given. */
  #input(
    step: string,
    { input }: { readonly input?: unknown },
    from: object,
    what = 'its input',
  ): Template | null {
    if (input === undefined) return null;
    if (typeof input !== 'function')
      throw wrong(
        step,
        `${what} is ${show(input)}; expected a function ({ ${Object.keys(from).join(', ')} }) => input`,
      );
    return templateOf(input(from), `step '${step}': ${what}`);
  }

  #job(step: string, task: AnyDeclaration, options: JobGiven, input: Template): JobData {
    if (!isTask(task)) throw wrong(step, `the task is ${show(task)}; expected what defineTask() returns`);
    const { queue, priority, attempts, timeoutMs } = options;
    return {
      task: task.name,
      queue: requireQueue('queue', queue ?? task.queue),
      priority: requirePriority('priority', priority ?? task.priority),
      attempts: requireAttempts('attempts', attempts ?? task.attempts),
      timeoutMs: timeoutMs === undefined ? null : requireMs('timeoutMs', timeoutMs),
      input,
    };
  }
}
