import {
  LongshoreError,
  optionalText,
  optionInvalid,
  requireInteger,
  requireName,
  show,
} from '../core/errors.ts';
import type { Action } from '../core/flow/actions.ts';
import { RUN_STATES, type RunState } from '../core/flow/run.ts';
import { passedOn } from '../core/inherited.ts';
import type { Job } from '../core/job.ts';
import { encodeMeta, type JobMeta } from '../core/meta.ts';
import { requireKnown } from '../core/options.ts';
import { currentJob } from '../current-job.ts';
import type { DuePlan } from '../store/plans.ts';
import { storeTime } from '../store/store-time.ts';
import type { Definitions } from './definitions.ts';
import type { AnyFlow, FlowGiven, FlowResult, FlowSignals } from './flow.ts';
import { flowInput, requireFlow } from './flow-input.ts';
import type { Decided } from './plan-rule.ts';
import { Planner, type PlannerMeans } from './planner.ts';
import { RunHandle, type RunMeans } from './run-handle.ts';
import {
  ACTION_OPTIONS,
  CANCEL_OPTIONS,
  idOf,
  LIST_OPTIONS,
  RETRY_OPTIONS,
  type RunActionOptions,
  type RunCancelOptions,
  type RunListOptions,
  type RunRetryOptions,
  type RunStartOptions,
  requireId,
  START_OPTIONS,
} from './run-options.ts';
import { runPlace } from './run-payload.ts';
import { type NewRun, planOfNewRun, RUN_KIND, runIdOf, runKey } from './run-plan.ts';
import { RunRule } from './run-rule.ts';
import { type SignalTo, sendSignal } from './run-signal.ts';
import { sentOf, traced } from './run-tracing.ts';
import { type RunDetail, type RunView, runDetail, runView, stepJobIds } from './run-view.ts';
import { RunWatch } from './run-watch.ts';
import { type StepWhy, stepWhy } from './run-why.ts';

/** A run of this flow. */
export type RunOf<F> = RunHandle<FlowResult<F>, FlowSignals<F>>;

/** Starts runs of flows, looks at them and acts on them. `longshore.flows`. */
export class Flows {
  readonly planner: Planner;
  /** Definitions that runs began with. */
  readonly definitions: Definitions;
  readonly #rule: RunRule;
  readonly #means: RunMeans & PlannerMeans;

  constructor(means: PlannerMeans) {
    this.#means = {
      ...means,
      watch: new RunWatch(means.store, means.clock),
      signal: (to) => this.#signal(to),
    };
    this.planner = new Planner(means);
    this.#rule = new RunRule(means);
    this.planner.add(this.#rule);
    this.definitions = this.#rule.definitions;
  }

  /** Starts a run. When this has resolved, it is stored. Rejects with INPUT_INVALID, OPTION_INVALID, PAYLOAD_TOO_LARGE. */
  async start<F extends AnyFlow>(
    flow: F,
    input: FlowGiven<F>,
    options: RunStartOptions = {},
  ): Promise<RunOf<F>> {
    const [handle] = await this.startMany(flow, [input], () => options);
    return handle as RunOf<F>;
  }

  /** Starts a run of each input, all in one commit. */
  async startMany<F extends AnyFlow>(
    flow: F,
    inputs: readonly FlowGiven<F>[],
    options: (input: FlowGiven<F>, index: number) => RunStartOptions = () => ({}),
  ): Promise<RunOf<F>[]> {
    requireFlow(flow);
    if (!Array.isArray(inputs)) throw optionInvalid('inputs', inputs, 'an array of inputs');
    if (typeof options !== 'function')
      throw optionInvalid('options', options, 'a function (input, index) => options');
    const now = await this.#now(flow);
    const job = currentJob();
    const inherited = job === null ? null : passedOn(job);
    const runs: NewRun[] = [];
    for (const [index, input] of inputs.entries())
      runs.push(await this.#newRun(flow, input, options(input, index), inherited));
    await this.definitions.put(flow);
    const sending = this.#means.tracing?.send(runs.map(sentOf)) ?? null;
    try {
      const told = sending === null ? runs : traced(runs, sending);
      const handles = await this.#startAll<F>(flow, told, now);
      sending?.end();
      return handles;
    } catch (error) {
      sending?.end(error);
      throw error;
    }
  }

  async #startAll<F extends AnyFlow>(flow: F, runs: readonly NewRun[], now: number): Promise<RunOf<F>[]> {
    const plans = runs.map((run) => planOfNewRun(run, now));
    const decided: Decided[] = [];
    for (const plan of plans) decided.push(await this.#rule.decide(plan, now));
    const receipts = await this.planner.commit(decided, plans);
    const handles: RunOf<F>[] = [];
    for (const [index, { status }] of receipts.entries()) {
      const { key } = plans[index] as DuePlan;
      if (status === 'conflict') await this.#requireSameFlow(key, flow);
      const told = status === 'conflict' ? 'existing' : 'created';
      handles.push(new RunHandle(runIdOf(key), told, this.#means, flow));
    }
    return handles;
  }

  /** A handle for a run started elsewhere. */
  handle<Result = unknown>(id: string): RunHandle<Result>;
  /** Typed by the flow, whose schemas check signals. */
  handle<F extends AnyFlow>(flow: F, id: string): RunOf<F>;
  handle(...given: [id: string] | [flow: AnyFlow, id: string]): RunHandle {
    const [flow, id] = given.length === 1 ? [null, given[0]] : given;
    if (flow !== null) requireFlow(flow);
    return new RunHandle(requireId(id), 'existing', this.#means, flow);
  }

  /** The run with its steps; null when there is none. */
  async get(id: string): Promise<RunDetail | null> {
    const { store, codec } = this.#means;
    const plan = await store.plan(runKey(requireId(id)), 'all');
    if (plan === null) return null;
    const flow = await this.definitions.get(runView(plan).version);
    if (flow === null)
      throw new LongshoreError('FLOW_UNKNOWN', `The definition of run '${id}' is not stored.`, {
        details: { id },
      });
    const ids = [...stepJobIds(plan, flow).values()];
    const [found, workers] = await Promise.all([ids.length === 0 ? [] : store.get(ids), store.workers()]);
    const jobs = new Map<string, Job | null>(ids.map((job, index) => [job, found[index] ?? null]));
    const tasks = new Set(workers.filter(({ alive }) => alive).flatMap((worker) => [...worker.tasks]));
    return runDetail({ plan, flow, codec, jobs, tasks });
  }

  /** Why a step does not run; null when there is no such run. Rejects with FLOW_STEP_UNKNOWN. */
  async why(id: string, step: string): Promise<StepWhy | null> {
    const run = await this.get(id);
    return run === null ? null : stepWhy(run, step, this.#means);
  }

  /** Newest first. */
  async list(options: RunListOptions = {}): Promise<{ runs: RunView[]; cursor: string | null }> {
    requireKnown('flows.list', options, LIST_OPTIONS);
    const { flow, state, limit = 50, cursor } = options;
    const states = state === undefined || Array.isArray(state) ? state : [state as RunState];
    for (const name of states ?? [])
      if (!RUN_STATES.includes(name))
        throw optionInvalid('state', name, RUN_STATES.map((known) => `'${known}'`).join(', '));
    const page = await this.#means.store.listPlans({
      kind: RUN_KIND,
      limit: requireInteger('limit', limit, 1, 1_000),
      ...(flow === undefined ? {} : { label: requireName('flow', flow) }),
      ...(states === undefined ? {} : { states }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return { runs: page.plans.map(runView), cursor: page.cursor };
  }

  /**
   * Sends a signal. One that comes before its wait is kept. The payload is checked against the schema of `waitFor` where this
   * connection knows the flow's code, from a start or a schedule; `run.signal` and `handle(flow, id).signal` always check, and
   * are typed. Rejects with RUN_UNKNOWN, RUN_STATE_REFUSED, OPTION_INVALID, INPUT_INVALID.
   */
  async signal(id: string, name: string, payload?: unknown): Promise<void> {
    await this.#signal({ id, name, payload, flow: null });
  }

  /** Stops what runs; with `compensate`, undoes what completed. */
  async cancel(id: string, options: RunCancelOptions = {}): Promise<void> {
    requireKnown('flows.cancel', options, CANCEL_OPTIONS);
    const { compensate = false } = options;
    if (typeof compensate !== 'boolean') throw optionInvalid('compensate', compensate, 'true or false');
    await this.#act(id, { type: 'cancel', compensate }, options);
  }

  /** Runs a failed step once more, with fresh attempts; failed items of a fan-out, or a failed undo, likewise. `input` replaces what it was given. */
  async retry(id: string, step: string, options: RunRetryOptions = {}): Promise<void> {
    requireKnown('flows.retry', options, RETRY_OPTIONS);
    const input =
      'input' in options ? { input: this.#encode(id, options.input, `the input of step '${step}'`) } : {};
    await this.#act(id, { type: 'retry', step, ...input }, options);
  }

  /** A failed step counts as completed, without a result. */
  async resolve(id: string, step: string, options: RunActionOptions = {}): Promise<void> {
    requireKnown('flows.resolve', options, ACTION_OPTIONS);
    await this.#act(id, { type: 'resolve', step }, options);
  }

  /** A step counts as completed with this result. */
  async complete(id: string, step: string, result: unknown, options: RunActionOptions = {}): Promise<void> {
    requireKnown('flows.complete', options, ACTION_OPTIONS);
    const text = this.#encode(id, result, `the result of step '${step}'`);
    await this.#act(id, { type: 'complete', step, result: text }, options);
  }

  /** A step is passed over, as if its branch had not been chosen. */
  async skip(id: string, step: string, options: RunActionOptions = {}): Promise<void> {
    requireKnown('flows.skip', options, ACTION_OPTIONS);
    await this.#act(id, { type: 'skip', step }, options);
  }

  #encode(id: string, value: unknown, what: string): string | null {
    return this.#means.codec.encode(value, runPlace(id), what);
  }

  close(): void {
    this.#means.watch.close();
  }

  async #act(
    id: string,
    action: DistributiveOmit<Action, 'by' | 'why'>,
    { by = 'api', why }: RunActionOptions,
  ): Promise<void> {
    if ('step' in action) requireName('step', action.step);
    await this.planner.act(this.#rule, runKey(requireId(id)), {
      ...action,
      by: requireName('by', by),
      why: optionalText('why', why),
    } as Action);
  }

  async #signal(to: SignalTo): Promise<void> {
    const { store, codec } = this.#means;
    const kick = (key: string): void => void this.planner.kick([key]);
    await sendSignal(to, { store, codec, definitions: this.definitions, kick });
  }

  /** A run's times are the store's, not those of the machine that starts it. */
  async #now(flow: AnyFlow): Promise<number> {
    const { store, clock } = this.#means;
    const isTimed = flow.data.steps.some(
      (step) => step.kind === 'sleep' || (step.kind === 'wait' && step.timeoutMs !== null),
    );
    return isTimed ? storeTime(store, clock) : clock.now();
  }

  async #newRun(
    flow: AnyFlow,
    input: unknown,
    options: RunStartOptions,
    inherited: JobMeta | null,
  ): Promise<NewRun> {
    requireKnown('flows.start', options, START_OPTIONS);
    const { codec, clock } = this.#means;
    const what = `the input of flow ${show(flow.name)}`;
    const checked = await flowInput(flow, input, codec);
    const id = idOf(flow, checked, options, clock);
    return {
      id,
      flow: flow.name,
      version: flow.version,
      input: codec.encode(checked, runPlace(id), what),
      meta: encodeMeta(options.meta === undefined ? {} : { meta: options.meta }, inherited),
      parent: null,
    };
  }

  async #requireSameFlow(key: string, flow: AnyFlow): Promise<void> {
    const plan = await this.#means.store.plan(key);
    if (plan === null || plan.label === flow.name) return;
    throw optionInvalid(
      'id',
      runIdOf(key),
      `an id of its own: this one belongs to a run of flow '${plan.label}'`,
    );
  }
}

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;
