import type { FlowData, StepData } from './data.ts';
import { copyOf, isBlocked, KEPT, type RunValue, type StepError, type StepState } from './run.ts';
import { ABSENT, STEP_SOURCE, sourcesOf, type Template } from './template.ts';

/** What a report, an action or the passing of time made of one run: what the planner writes in one commit. */
export interface Orders {
  readonly jobs: JobOrder[];
  readonly runs: RunOrder[];
  /** Jobs (`as`) to be cancelled after the commit, and child runs. Repeated until they have ended. */
  readonly stops: StopOrder[];
  /** Texts to keep beside the value. */
  readonly keep: Map<string, string | null>;
  readonly moves: Move[];
}

export interface JobOrder {
  readonly as: string;
  readonly step: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: number;
  readonly attempts: number;
  readonly timeoutMs: number | null;
  /** Encoded. */
  readonly input: string | null;
}

export interface RunOrder {
  readonly as: string;
  readonly step: string;
  readonly gen: number;
  readonly flow: string;
  readonly version: string;
  readonly input: string | null;
}

export interface StopOrder {
  readonly kind: 'job' | 'run';
  readonly as: string;
  readonly step: string;
  readonly gen: number;
}

/** A step went to another state: told as an event. */
export interface Move {
  readonly step: string;
  readonly to: StepState['is'] | 'undoing' | 'undone';
  readonly error: StepError | null;
}

/** Encodes and decodes payloads as the connection does. */
export interface RuleCodec {
  decode(text: string | null, what: string): unknown;
  encode(value: unknown, what: string): string | null;
}

export interface DraftGiven {
  readonly run: RunValue;
  readonly flow: FlowData;
  readonly now: number;
  /** Kept texts that were read; one that is absent here is asked for by `NeedsKept`. */
  readonly kept: ReadonlyMap<string, string | null>;
  readonly codec: RuleCodec;
}

/** The rule cannot go on without these kept texts: read them and decide again. */
export class NeedsKept extends Error {
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    super(`needs ${names.join(', ')}`);
    this.names = names;
  }
}

/** Shorter texts lie in the value itself, so that most steps take neither a row nor a read more. */
const INLINE_CHARS_MAX = 200;
const INLINE_COUNT_MAX = 64;

/** The value a decision is made on: a copy, changed by the parts of the rule, with what is to be written beside it. */
export class Draft {
  readonly run: RunValue;
  readonly flow: FlowData;
  readonly now: number;
  readonly codec: RuleCodec;
  readonly orders: Orders = { jobs: [], runs: [], stops: [], keep: new Map(), moves: [] };
  /** There is more to do at once than one commit should hold. */
  more = false;
  readonly #kept: ReadonlyMap<string, string | null>;
  readonly #decoded = new Map<string, unknown>();

  constructor({ run, flow, now, kept, codec }: DraftGiven) {
    this.run = copyOf(run);
    this.flow = flow;
    this.now = now;
    this.codec = codec;
    this.#kept = kept;
    // A run that begins has its input here, whatever its size.
    for (const [name, text] of Object.entries(this.run.inline))
      if (text !== null && text.length > INLINE_CHARS_MAX) this.keep(name, text);
  }

  state(step: string): StepState | undefined {
    return this.run.steps[step];
  }

  /** A step leaves its state for another one. */
  move(step: StepData, to: StepState['is'], change: Partial<StepState> = {}): StepState {
    const before = this.run.steps[step.name];
    const ends = to !== 'running' && to !== 'waiting';
    const state: StepState = {
      ...(before ?? { gen: this.run.gens[step.name] ?? 0, from: this.now }),
      ...change,
      is: to,
      ...(ends ? { to: this.now } : {}),
    };
    delete state.halt;
    if (to === 'completed' && state.order === undefined) {
      this.run.completed += 1;
      state.order = this.run.completed;
    }
    this.run.steps[step.name] = state;
    this.orders.moves.push({ step: step.name, to, error: state.error ?? null });
    return state;
  }

  /** The step is pending again; reports of its earlier jobs count no more. */
  restart(step: string): void {
    this.run.gens[step] = this.nextGen(step);
    delete this.run.steps[step];
  }

  /** A number that no job of the step, nor of its undo, has had. */
  nextGen(step: string): number {
    const state = this.run.steps[step];
    return state === undefined ? (this.run.gens[step] ?? 0) : Math.max(state.gen, state.undo?.gen ?? -1) + 1;
  }

  /** Failed for good: what follows is the step's policy. */
  fail(step: StepData, error: StepError): void {
    const blocks = step.failure === 'block' && this.run.phase === 'forward';
    this.move(step, 'failed', {
      error: brief(error),
      ...(blocks ? { blocked: true as const } : {}),
      ...(step.failure === 'continue' ? { passed: true as const } : {}),
    });
  }

  get blocked(): boolean {
    return Object.values(this.run.steps).some(isBlocked);
  }

  // ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────

  text(name: string): string | null {
    this.require([name]);
    if (name in this.run.inline) return this.run.inline[name] as string | null;
    return this.orders.keep.get(name) ?? this.#kept.get(name) ?? null;
  }

  /** All of them at once, so that one read brings all that are missing. */
  require(names: readonly string[]): void {
    const missing = names.filter(
      (name) => !(name in this.run.inline) && !this.orders.keep.has(name) && !this.#kept.has(name),
    );
    if (missing.length > 0) throw new NeedsKept(missing);
  }

  /** Small texts lie in the value unless `place` says otherwise. */
  keep(name: string, text: string | null, place: 'anywhere' | 'beside' = 'anywhere'): void {
    this.#decoded.delete(name);
    const isSmall = text === null || (place === 'anywhere' && text.length <= INLINE_CHARS_MAX);
    if (isSmall && (name in this.run.inline || Object.keys(this.run.inline).length < INLINE_COUNT_MAX)) {
      this.run.inline[name] = text;
      this.orders.keep.delete(name);
    } else {
      delete this.run.inline[name];
      this.orders.keep.set(name, text);
    }
  }

  decoded(name: string): unknown {
    if (!this.#decoded.has(name))
      this.#decoded.set(name, this.codec.decode(this.text(name), `'${name}' of run '${this.run.id}'`));
    return this.#decoded.get(name);
  }

  // ── what templates refer to ──────────────────────────────────────────────────────────────────────────────────────

  /** The kept texts that `templates` need. */
  namesFor(templates: readonly Template[]): string[] {
    const names: string[] = [];
    for (const template of templates)
      for (const source of sourcesOf(template)) {
        if (source === 'run') names.push(KEPT.input);
        else if (source.startsWith(STEP_SOURCE))
          names.push(...this.#namesOfResult(source.slice(STEP_SOURCE.length)));
      }
    return [...new Set(names)];
  }

  read(source: string): unknown {
    if (source === 'run') return this.decoded(KEPT.input) ?? null;
    if (!source.startsWith(STEP_SOURCE)) return ABSENT;
    return this.resultOf(source.slice(STEP_SOURCE.length));
  }

  /** ABSENT for a step that has no result. */
  resultOf(name: string): unknown {
    const state = this.run.steps[name];
    if (state?.is !== 'completed') return ABSENT;
    const { items } = state;
    if (items === undefined) return this.decoded(KEPT.resultOf(name)) ?? null;
    const results: unknown[] = new Array(items.of).fill(null);
    for (const page of this.#namesOfResult(name)) {
      const entries = JSON.parse(this.text(page) ?? '[]') as [number, string | null][];
      for (const [index, text] of entries)
        results[index] = this.codec.decode(text, `result ${index} of step '${name}'`) ?? null;
    }
    return results;
  }

  #namesOfResult(name: string): string[] {
    const state = this.run.steps[name];
    if (state?.is !== 'completed') return [];
    const { items } = state;
    if (items === undefined) return [KEPT.resultOf(name)];
    return Array.from({ length: items.pages }, (_, page) => KEPT.page(name, page));
  }
}

const MESSAGE_CHARS_MAX = 500;

function brief({ name, message, code }: StepError): StepError {
  return { name: name.slice(0, 100), message: message.slice(0, MESSAGE_CHARS_MAX), code };
}
