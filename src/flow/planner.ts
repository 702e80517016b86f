import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import type { Action } from '../core/flow/actions.ts';
import type { FlowData } from '../core/flow/data.ts';
import type { RunValue } from '../core/flow/run.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { DuePlan, UnitReceipt } from '../store/plans.ts';
import type { JobCommand, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { Definitions } from './definitions.ts';
import { type Decided, decidePlan, RUN_KIND, stopOf } from './run-plan.ts';

/**
 * Asks the rule what follows, and writes it: read -> decide -> commit. Anybody may plan any run at any time; the plan's
 * version says whose decision counts, and who loses decides anew. What cannot be written stays due, for the next one who
 * looks (worker/plan-sweeper.ts), so nothing is lost with a planner.
 */
export interface PlannerMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
  readonly events: EventBus;
  readonly clock: Clock;
}

/** Plans of one exchange. */
const PLANS_MAX = 100;
/** Cancels of one call. */
const STOPS_MAX = 500;

export class Planner {
  readonly definitions: Definitions;
  readonly #means: PlannerMeans;
  #pending = new Set<string>();
  #working: Promise<void> | null = null;

  constructor(means: PlannerMeans) {
    this.#means = means;
    this.definitions = new Definitions(means.store);
  }

  /** Decides on these plans, soon; resolves when nothing is left to decide on, or the store failed (an event tells). */
  kick(keys: Iterable<string>): Promise<void> {
    for (const key of keys) this.#pending.add(key);
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  /** There are plans to decide on. */
  get busy(): boolean {
    return this.#working !== null;
  }

  /** Decides on whatever is due in the store. Resolves to how long nothing will be, in ms; null when no plan waits for a time. */
  async sweep(graceMs: number): Promise<number | null> {
    const { store } = this.#means;
    const { now, plans, nextWakeAt } = await store.duePlans({ limit: PLANS_MAX, graceMs });
    for (const key of await this.#advance(plans, now)) this.#pending.add(key);
    if (this.#pending.size > 0) await this.kick([]);
    if (plans.length === PLANS_MAX) return 0;
    return nextWakeAt === null ? null : Math.max(0, nextWakeAt - now);
  }

  /** Decides with a by-hand action. Throws RUN_UNKNOWN, RUN_STATE_REFUSED, FLOW_STEP_UNKNOWN. */
  async act(key: string, action: Action): Promise<RunValue> {
    for (let tries = 0; ; tries += 1) {
      const { now, plans } = await this.#means.store.duePlans({ keys: [key], limit: 1 });
      const [plan] = plans;
      if (plan === undefined) throw unknownRun(key);
      const decided = await this.#decide(plan, now, action);
      if (decided === null) throw unknownRun(key);
      const receipts = await this.commit([decided], [plan]);
      if (receipts[0]?.status === 'committed') return decided.decision.run;
      if (tries === TRIES_MAX) throw busy(key);
    }
  }

  /** Commits decisions and carries out what they ask for beside the commit. */
  async commit(decided: readonly Decided[], plans: readonly DuePlan[]): Promise<UnitReceipt[]> {
    const receipts = await this.#means.store.commit(decided.map(({ unit }) => unit));
    for (const [index, { status }] of receipts.entries()) {
      if (status !== 'committed') continue;
      const { decision, follow } = decided[index] as Decided;
      const plan = plans[index] as DuePlan;
      this.#tell(plan, decision);
      await this.#stop(plan.key, decision);
      const goesOn = plan.more || (decision.wakeAt !== null && decision.wakeAt <= this.#means.clock.now());
      for (const key of goesOn ? [plan.key, ...follow] : follow) this.#pending.add(key);
    }
    if (this.#pending.size > 0) void this.kick([]);
    return receipts;
  }

  async #work(): Promise<void> {
    const { store, events } = this.#means;
    // One turn later, so that all that ended in this turn is read at once.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#pending.size > 0) {
      const keys = [...this.#pending].slice(0, PLANS_MAX);
      for (const key of keys) this.#pending.delete(key);
      try {
        const { now, plans } = await store.duePlans({ keys, limit: PLANS_MAX });
        for (const key of await this.#advance(plans, now)) this.#pending.add(key);
      } catch (error) {
        // They stay due.
        this.#pending.clear();
        events.emit('store.failed', { verb: 'commit', error, retryMs: null });
      }
    }
  }

  /** Returns the plans that others were faster with, and those that have more to decide. */
  async #advance(plans: readonly DuePlan[], now: number): Promise<string[]> {
    const due = plans.filter(
      (plan) => plan.reports.length > 0 || (plan.wakeAt !== null && plan.wakeAt <= now),
    );
    const ready: { readonly plan: DuePlan; readonly decided: Decided }[] = [];
    for (const plan of due) {
      const decided = await this.#decideSafely(plan, now);
      if (decided !== null) ready.push({ plan, decided });
    }
    if (ready.length === 0) return [];
    const receipts = await this.commit(
      ready.map(({ decided }) => decided),
      ready.map(({ plan }) => plan),
    );
    return ready.flatMap(({ plan }, index) => (receipts[index]?.status === 'conflict' ? [plan.key] : []));
  }

  /** One damaged plan keeps no other from going on. */
  async #decideSafely(plan: DuePlan, now: number): Promise<Decided | null> {
    try {
      return await this.#decide(plan, now);
    } catch (error) {
      if (error instanceof LongshoreError && error.code.startsWith('STORE_')) throw error;
      this.#means.events.emit('plan.stuck', { key: plan.key, kind: plan.kind, label: plan.label, error });
      return null;
    }
  }

  /** Null for a plan of a kind that is not decided on. Throws FLOW_UNKNOWN. */
  async #decide(plan: DuePlan, now: number, action?: Action): Promise<Decided | null> {
    if (plan.kind !== RUN_KIND) return null;
    const { version } = JSON.parse(plan.value) as RunValue;
    const flow: FlowData | null = await this.definitions.get(version);
    if (flow === null)
      throw new LongshoreError(
        'FLOW_UNKNOWN',
        `The definition '${version}' of flow '${plan.label}' is not stored, so run '${plan.key}' cannot go on. Start a run of that version of the flow to store it again.`,
        { details: { key: plan.key, version } },
      );
    return decidePlan(plan, { ...this.#means, now, flow }, action);
  }

  async #stop(key: string, { run, stops }: Decided['decision']): Promise<void> {
    if (stops.length === 0) return;
    const { store, events } = this.#means;
    const orders = stops.map((order) => stopOf(run, order));
    const why = `run '${run.id}': ${run.reason ?? 'the step was ended by hand'}`;
    const commands = orders.flatMap((order): JobCommand[] =>
      'job' in order ? [{ type: 'cancel', id: order.job, by: 'flow', why }] : [],
    );
    const reports = orders.flatMap((order) => ('report' in order ? [order.report] : []));
    try {
      for (let from = 0; from < commands.length; from += STOPS_MAX)
        await store.control(commands.slice(from, from + STOPS_MAX));
      if (reports.length > 0) await store.commit(reports.map((report) => ({ reports: [report] })));
      for (const { plan } of reports) this.#pending.add(plan);
      if (commands.length > 0) this.#pending.add(key);
    } catch (error) {
      // Asked for again when the plan wakes.
      events.emit('store.failed', { verb: 'control', error, retryMs: null });
    }
  }

  #tell(plan: DuePlan, { run, moves, state }: Decided['decision']): void {
    const { events } = this.#means;
    const of = { run: run.id, flow: run.flow };
    if (plan.version === 0 && events.wants('run.started'))
      events.emit('run.started', { ...of, parent: run.parent !== null });
    if (events.wants('step.moved')) for (const move of moves) events.emit('step.moved', { ...of, ...move });
    if (plan.state !== state && events.wants('run.moved'))
      events.emit('run.moved', { ...of, from: plan.state, to: state, reason: run.reason });
  }
}

const TRIES_MAX = 50;

function unknownRun(key: string): LongshoreError {
  const id = key.slice('run/'.length);
  return new LongshoreError(
    'RUN_UNKNOWN',
    `There is no run '${id}': it never was, or it ended and is kept no longer.`,
    { details: { id } },
  );
}

function busy(key: string): LongshoreError {
  return new LongshoreError(
    'STORE_BUSY',
    `Plan '${key}' changed ${TRIES_MAX} times while it was to be changed by hand; try again.`,
    { details: { key } },
  );
}
