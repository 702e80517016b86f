import { LongshoreError, optionInvalid, requireMs, requireName, show } from '../core/errors.ts';
import { type FlowData, type StepData, stepNamed } from '../core/flow/data.ts';
import { STEP_SOURCE, sourcesOf, type Template } from '../core/flow/template.ts';
import type { Jsonified } from '../core/jsonified.ts';
import { knownNames, requireOptions } from '../core/options.ts';
import { isSchema, type Schema, type SchemaInput, type SchemaOutput } from '../core/schema.ts';
import { sortedJson } from '../core/unique.ts';
import { StepBuilder } from './builder.ts';
import type { AnyFlow, Flow, SignalSchemas, SignalsGiven } from './flow.ts';
import { digestOf } from './part-id.ts';
import { templateOf, type ValueOf } from './refs.ts';
import { wrong } from './step-options.ts';

/**
 * Flows: a graph of steps, each of which is a task, as one durable run. `defineFlow` turns what the author wrote into
 * data (core/flow/data.ts), and refuses what cannot run. The rule that runs it is core/flow/decide.ts; who asks it is
 * the planner (planner.ts); what programs and people do with runs is flows.ts.
 */
export interface FlowOptions<Name extends string, S, Run, R, G = SignalSchemas> {
  /** 1 to 200 characters. */
  readonly name: Name;
  /** Any Standard Schema; inputs are checked when a run starts. Without it they are any JSON. */
  readonly input?: S;
  /**
   * Signals that steps wait for, with the schemas of their payloads (null: any JSON): types and checks `run.signal`. Without it,
   * steps may wait for signals of any name, and their payloads have no type where they are sent.
   */
  readonly signals?: G;
  /** Defines the steps. What it returns is the run's result: a step, or data with references to steps in it. */
  readonly steps: (s: StepBuilder<Run, NoInfer<G>>) => R;
  /** How long an ended run is kept, in ms; default 7 days, null for ever. */
  readonly keptMs?: number | null;
}

const FLOW_OPTIONS = knownNames<FlowOptions<string, unknown, unknown, unknown>>({
  name: true,
  input: true,
  signals: true,
  steps: true,
  keptMs: true,
});
const KEPT_MS_DEFAULT = 7 * 86_400_000;

/** The value a template will have. */
type ResultOf<R> = [ValueOf<R>] extends [never]
  ? R extends object
    ? { [K in keyof R]: ResultOf<R[K]> }
    : R
  : ValueOf<R>;

/** Throws FLOW_INVALID: a cycle with its path, an unknown parent or branch, two steps of one name, what no JSON can say. */
export function defineFlow<
  const Name extends string,
  S extends Schema<unknown, unknown>,
  R,
  G extends SignalSchemas = SignalSchemas,
>(
  options: FlowOptions<Name, S, Jsonified<SchemaOutput<S>>, R, G> & { readonly input: S },
): Flow<Name, SchemaInput<S>, ResultOf<R>, SignalsGiven<G>>;
export function defineFlow<const Name extends string, R, G extends SignalSchemas = SignalSchemas>(
  options: FlowOptions<Name, undefined, unknown, R, G>,
): Flow<Name, unknown, ResultOf<R>, SignalsGiven<G>>;
export function defineFlow(options: FlowOptions<string, unknown, unknown, unknown>): AnyFlow {
  requireOptions('defineFlow', options, FLOW_OPTIONS);
  const name = requireName('name', options.name);
  const { input, steps, signals, keptMs = KEPT_MS_DEFAULT } = options;
  if (typeof steps !== 'function') throw optionInvalid('steps', steps, 'a function (s) => result');
  if (input !== undefined && !isSchema(input)) throw optionInvalid('input', input, 'a Standard Schema v1');
  if (signals !== undefined && (typeof signals !== 'object' || signals === null || Array.isArray(signals)))
    throw optionInvalid('signals', signals, 'an object of schemas by the names of signals');
  const builder = new StepBuilder<unknown>(signals ?? null);
  const returned = steps(builder);
  const result = returned === undefined ? null : templateOf(returned, `the result of flow '${name}'`);
  const data: FlowData = {
    name,
    steps: inOrder(name, marked(checked(name, builder.steps, result), result)),
    result,
    keptMs: keptMs === null ? null : requireMs('keptMs', keptMs),
  };
  builder.signals.requireAwaited(name);
  const flows = [...builder.flows.values()];
  return Object.freeze({
    name,
    schema: (input as Schema | undefined) ?? null,
    data,
    version: digestOf(sortedJson(data)),
    flows: [...new Set(flows.flatMap((flow) => [flow, ...flow.flows]))],
    signals: builder.signals.schemas,
  });
}

function checked(flow: string, steps: readonly StepData[], result: Template): readonly StepData[] {
  if (steps.length === 0)
    throw new LongshoreError('FLOW_INVALID', `Flow ${show(flow)} has no steps.`, { details: { flow } });
  const find = (name: string): StepData | undefined => steps.find((step) => step.name === name);
  for (const step of steps) {
    for (const { step: parent, branch } of step.after) {
      const found = find(parent);
      if (found === undefined)
        throw wrong(step.name, `its parent ${show(parent)} is no step of flow ${show(flow)}`);
      if (branch === undefined) continue;
      if (found.kind !== 'decide')
        throw wrong(step.name, `${show(parent)} has no branches: it is no decision`);
      if (!found.branches.includes(branch))
        throw wrong(
          step.name,
          `${show(parent)} has no branch ${show(branch)}; it has ${found.branches.map(show).join(', ')}`,
        );
    }
  }
  for (const source of sourcesOf(result))
    if (source.startsWith(STEP_SOURCE) && find(source.slice(STEP_SOURCE.length)) === undefined)
      throw new LongshoreError(
        'FLOW_INVALID',
        `The result of flow ${show(flow)} refers to a step of another flow.`,
      );
  return steps;
}

/** What only the whole flow tells of a step: whether its result is needed, and what its failure means by default. */
function marked(steps: readonly StepData[], result: Template): StepData[] {
  const used = new Set<string>(sourcesOf(result));
  for (const step of steps) {
    for (const template of templatesIn(step)) for (const source of sourcesOf(template)) used.add(source);
  }
  const policy = steps.some(({ undo }) => undo !== undefined) ? 'compensate' : 'fail';
  return steps.map((step) => ({
    ...step,
    failure: step.failure ?? policy,
    used: used.has(`${STEP_SOURCE}${step.name}`),
  }));
}

function templatesIn(step: StepData): Template[] {
  const templates: Template[] = 'input' in step ? [step.input] : [];
  if (step.kind === 'each') templates.push(step.over);
  if (step.kind === 'sleep') templates.push(step.ms);
  if (step.undo !== undefined) templates.push(step.undo.input);
  return templates;
}

/** Parents before their children. Throws FLOW_INVALID with the path of a cycle. */
function inOrder(flow: string, steps: readonly StepData[]): StepData[] {
  const ordered: StepData[] = [];
  const done = new Set<string>();
  const visit = (step: StepData, path: readonly string[]): void => {
    if (done.has(step.name)) return;
    const at = path.indexOf(step.name);
    if (at >= 0) {
      const cycle = [...path.slice(at), step.name].reverse().join(' → ');
      throw new LongshoreError('FLOW_INVALID', `Flow ${show(flow)} has a cycle: ${cycle}.`, {
        details: { flow, cycle },
      });
    }
    for (const { step: parent } of step.after) {
      const found = stepNamed({ steps } as FlowData, parent);
      if (found !== undefined) visit(found, [...path, step.name]);
    }
    done.add(step.name);
    ordered.push(step);
  };
  for (const step of steps) visit(step, []);
  return ordered;
}
