import assert from 'node:assert/strict';
import type { Action } from '../../../src/core/flow/actions.ts';
import type { FlowData } from '../../../src/core/flow/data.ts';
import { decideRun, type RunDecision } from '../../../src/core/flow/decide.ts';
import type { JobOrder } from '../../../src/core/flow/draft.ts';
import type { RunReport } from '../../../src/core/flow/reports.ts';
import { KEPT, newRun, parseRun, type RunValue } from '../../../src/core/flow/run.ts';
import { decodePayload, encodePayload } from '../../../src/core/payload.ts';

/** A run with no store: the rule alone, told what became of the jobs it ordered. */
export class Simulation {
  readonly flow: FlowData;
  run: RunValue;
  now = 1_000;
  last: RunDecision | null = null;
  /** All jobs ever ordered, by name. */
  readonly ordered = new Map<string, JobOrder>();
  /** Ordered and not ended. */
  readonly open = new Map<string, JobOrder>();
  readonly stops: string[] = [];
  /** Child runs ever begun, and those that have not ended. */
  readonly children: string[] = [];
  readonly openChildren = new Set<string>();
  readonly #kept = new Map<string, string | null>();
  readonly #codec = {
    decode: (text: string | null, what: string): unknown => decodePayload(text, what),
    encode: (value: unknown, what: string): string | null => encodePayload(value, what),
  };
  /** Sees each decision. */
  each: (decision: RunDecision) => void = () => {};
  #reports = 0;

  constructor(flow: FlowData, input: unknown = null) {
    this.flow = flow;
    this.run = newRun({
      id: 'r',
      flow: flow.name,
      version: 'v',
      startedAt: this.now,
      parent: null,
      meta: null,
    });
    this.run.inline[KEPT.input] = JSON.stringify(input);
    this.decide([]);
  }

  get state(): string {
    return this.last?.state ?? '';
  }

  step(name: string): RunValue['steps'][string] | undefined {
    return this.run.steps[name];
  }

  get result(): unknown {
    const text = this.run.inline[KEPT.result] ?? this.#kept.get(KEPT.result) ?? null;
    return text === null ? null : JSON.parse(text);
  }

  inputOf(as: string): unknown {
    const text = this.ordered.get(as)?.input ?? null;
    return text === null ? undefined : JSON.parse(text);
  }

  /** Until nothing is to be done at once. */
  decide(reports: readonly RunReport[], action?: Action): void {
    this.#once(reports, action);
    while (this.last?.wakeAt != null && this.last.wakeAt <= this.now && this.run.endedAt === null)
      this.#once([]);
  }

  /** Whoever decided died before the commit, or lost the race: nothing of it is there, and whoever is next decides the same. */
  die(reports: readonly RunReport[]): void {
    assert.deepEqual(this.#decided(reports), this.#decided(reports));
  }

  #once(reports: readonly RunReport[], action?: Action): void {
    this.#commit(this.#decided(reports, action));
  }

  #decided(reports: readonly RunReport[], action?: Action): RunDecision {
    const before = JSON.stringify(this.run);
    const kept = new Map<string, string | null>();
    for (;;) {
      const given = { run: this.run, flow: this.flow, now: this.now, kept, codec: this.#codec, reports };
      const decision = decideRun(action === undefined ? given : { ...given, action });
      assert.equal(JSON.stringify(this.run), before, 'the rule changes nothing it is given');
      if (!('needs' in decision)) return decision;
      for (const name of decision.needs) kept.set(name, this.#kept.get(name) ?? null);
    }
  }

  #commit(decision: RunDecision): void {
    this.run = parseRun(JSON.stringify(decision.run));
    this.last = decision;
    this.each(decision);
    for (const [name, text] of decision.keep) this.#kept.set(name, text);
    for (const job of decision.jobs) {
      assert.ok(!this.ordered.has(job.as), `${job.as} is enqueued once`);
      this.ordered.set(job.as, job);
      this.open.set(job.as, job);
    }
    for (const { kind, as } of decision.stops) this.stops.push(`${kind} ${as}`);
    for (const { as } of decision.runs) {
      assert.ok(!this.children.includes(as), `${as} is started once`);
      this.children.push(as);
      this.openChildren.add(as);
    }
  }

  /** What would be decided; nothing is changed. */
  look(given: { readonly more: boolean }): { readonly decision: RunDecision } {
    const { run, flow, now } = this;
    const decision = decideRun({
      run,
      flow,
      now,
      kept: new Map(),
      codec: this.#codec,
      reports: [],
      ...given,
    });
    assert.ok(!('needs' in decision));
    return { decision };
  }

  report(as: string, state: RunReport['state'], result: unknown = null, message = 'it broke'): RunReport {
    this.#reports += 1;
    this.open.delete(as);
    this.openChildren.delete(as);
    const error = state === 'failed' ? { name: 'Error', message, code: null } : null;
    return { no: this.#reports, as, state, result: result === null ? null : JSON.stringify(result), error };
  }

  complete(as: string, result: unknown = null): void {
    this.decide([this.report(as, 'completed', result)]);
  }

  fail(as: string, message?: string): void {
    this.decide([this.report(as, 'failed', null, message)]);
  }

  signal(name: string, payload: unknown = null): void {
    this.decide([this.report(`signal:${name}`, 'told', payload)]);
  }

  wait(ms: number): void {
    this.now += ms;
    this.decide([]);
  }

  act(action: Record<string, unknown>): void {
    this.decide([], { by: 'ada', why: null, ...action } as unknown as Action);
  }

  get running(): string[] {
    return [...this.open.keys()].sort();
  }

  /** Child runs that have not ended. */
  get openRuns(): string[] {
    return [...this.openChildren].sort();
  }
}
