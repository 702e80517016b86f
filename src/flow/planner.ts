import type { Clock } from '../core/clock.ts';
import { LongshoreError, mayPass } from '../core/errors.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { Tracing } from '../core/tracing.ts';
import type { DuePlan, DueReceipt, UnitReceipt } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { Decided, PlanRule, Stops } from './plan-rule.ts';

/**
 * Asks the rule of a plan's kind what follows, and writes it: read -> decide -> commit. Anybody may decide at any time; the plan's
 * version says whose decision counts, and who loses decides anew. What cannot be written stays due, for the next one who
 * looks (worker/plan-sweeper.ts), so nothing is lost with a planner.
 *
 * At rest, a step's end and the next one's start are two exchanges with the store: calls of one turn go together there, so the
 * plan is read in the turn in which the outcome is written (`ahead`), and workers claim in that in which the jobs are
 * added (`onAdding`).
 */
export interface PlannerMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly tracing: Tracing | null;
}

/** Plans of one exchange. */
const PLANS_MAX = 100;
/** Exchanges at a time: the store works on one while the other is decided on. */
const FLIGHTS_MAX = 2;
/** Cancels of one call. */
const STOPS_MAX = 500;

interface Ready {
  readonly plan: DuePlan;
  readonly decided: Decided;
}

export class Planner {
  readonly #means: PlannerMeans;
  readonly #rules = new Map<string, PlanRule>();
  #pending = new Set<string>();
  #working: Promise<void> | null = null;
  readonly #onAdding = new Set<() => void>();
  /** Plans that are changed by hand: left alone here meanwhile, since each decision would cost the hand its try. */
  readonly #byHand = new Set<string>();

  constructor(means: PlannerMeans) {
    this.#means = means;
  }

  /** From now on, plans of the rule's kind are decided on. */
  add(rule: PlanRule): void {
    this.#rules.set(rule.kind, rule);
  }

  /** `listener` is called as jobs are on their way to the store: who claims in that turn finds them. Returns how to end it. */
  onAdding(listener: () => void): () => void {
    this.#onAdding.add(listener);
    return () => this.#onAdding.delete(listener);
  }

  /**
   * Reads plans that outcomes written in this turn will report to; its answer is for `kick`. Null while others are decided on:
   * those that come meanwhile are read together.
   */
  ahead(keys: readonly string[]): Promise<DueReceipt | null> | null {
    if (this.busy) return null;
    return this.#means.store.duePlans({ keys, limit: PLANS_MAX }).catch(() => null);
  }

  /** Decides on these plans, soon; resolves when nothing is left to decide on, or the store failed (an event tells). */
  kick(keys: Iterable<string>, ahead: Promise<DueReceipt | null> | null = null): Promise<void> {
    for (const key of keys) this.#pending.add(key);
    this.#working ??= this.#work(ahead);
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

  /** Decides with an action by hand. Throws what the rule throws where it is refused, or there is no such plan. */
  async act<D extends Decided>(rule: PlanRule<D>, key: string, action: unknown): Promise<D> {
    this.#byHand.add(key);
    try {
      return await this.#act(rule, key, action);
    } finally {
      this.#byHand.delete(key);
      if (this.#pending.size > 0) void this.kick([]);
    }
  }

  async #act<D extends Decided>(rule: PlanRule<D>, key: string, action: unknown): Promise<D> {
    for (let tries = 0; ; tries += 1) {
      const { now, plans } = await this.#means.store.duePlans({ keys: [key], limit: 1 });
      const [plan] = plans;
      if (plan === undefined) throw rule.unknown(key);
      const decided = await rule.decide(plan, now, action);
      const receipts = await this.commit([decided], [plan]);
      if (receipts[0]?.status === 'committed') return decided;
      if (tries === TRIES_MAX) throw busy(key);
    }
  }

  /** Commits decisions and carries out what they ask for beside the commit. */
  async commit(decided: readonly Decided[], plans: readonly DuePlan[]): Promise<UnitReceipt[]> {
    const committing = this.#means.store.commit(decided.map(({ unit }) => unit));
    if (decided.some(({ unit: { enqueue = [] } }) => enqueue.length > 0))
      for (const listener of this.#onAdding) listener();
    const receipts = await committing;
    for (const [index, { status }] of receipts.entries()) {
      if (status !== 'committed') continue;
      const one = decided[index] as Decided;
      const plan = plans[index] as DuePlan;
      one.tell();
      await this.#stop(plan.key, one.stops);
      const goesOn = plan.more || (one.wakeAt !== null && one.wakeAt <= this.#means.clock.now());
      for (const key of goesOn ? [plan.key, ...one.follow] : one.follow) this.#pending.add(key);
    }
    if (this.#pending.size > 0) void this.kick([]);
    return receipts;
  }

  async #work(ahead: Promise<DueReceipt | null> | null): Promise<void> {
    // One turn later, so that all that ended in this turn is read at once.
    if (ahead === null) await new Promise<void>((resolve) => setImmediate(resolve));
    let read = ahead;
    const flights = new Set<Promise<void>>();
    const held = new Set<string>();
    for (;;) {
      while (flights.size < FLIGHTS_MAX) {
        const keys = this.#take(held);
        if (keys.length === 0) break;
        const flight = this.#exchange(keys, read).then(() => {
          for (const key of keys) held.delete(key);
          flights.delete(flight);
        });
        flights.add(flight);
        read = null;
      }
      if (flights.size === 0) break;
      await Promise.race(flights);
    }
    this.#working = null;
  }

  /** Plans that nobody here is deciding on; from now on somebody is. */
  #take(held: Set<string>): string[] {
    const keys: string[] = [];
    for (const key of this.#pending) {
      if (held.has(key) || this.#byHand.has(key)) continue;
      keys.push(key);
      if (keys.length === PLANS_MAX) break;
    }
    for (const key of keys) {
      this.#pending.delete(key);
      held.add(key);
    }
    return keys;
  }

  async #exchange(keys: readonly string[], ahead: Promise<DueReceipt | null> | null): Promise<void> {
    const { store, events } = this.#means;
    try {
      const read = await ahead;
      const { now, plans } = read ?? (await store.duePlans({ keys, limit: PLANS_MAX }));
      const due = new Set(plans.filter(isDue(now)).map(({ key }) => key));
      // Read before the outcome was there.
      if (read !== null) for (const key of keys) if (!due.has(key)) this.#pending.add(key);
      for (const key of await this.#advance(plans, now)) this.#pending.add(key);
    } catch (error) {
      // They stay due.
      this.#pending.clear();
      events.emit('store.failed', { verb: 'commit', error, retryMs: null });
    }
  }

  /** Returns the plans that others were faster with, and those that have more to decide. */
  async #advance(plans: readonly DuePlan[], now: number): Promise<string[]> {
    const ready: Ready[] = [];
    for (const plan of plans.filter(isDue(now))) {
      const decided = await this.#decideSafely(plan, now);
      if (decided !== null) ready.push({ plan, decided });
    }
    if (ready.length === 0) return [];
    try {
      return await this.#commitReady(ready);
    } catch (error) {
      if (mayPass(error) || ready.length === 1) throw error;
      return this.#commitSingly(ready, error);
    }
  }

  /** Returns the plans that others were faster with. */
  async #commitReady(ready: readonly Ready[]): Promise<string[]> {
    const receipts = await this.commit(
      ready.map(({ decided }) => decided),
      ready.map(({ plan }) => plan),
    );
    return ready.flatMap(({ plan }, index) => (receipts[index]?.status === 'conflict' ? [plan.key] : []));
  }

  /** The store refused all of them: one that it cannot keep holds up no other. Throws `cause` where none gets through. */
  async #commitSingly(ready: readonly Ready[], cause: unknown): Promise<string[]> {
    const lost: string[] = [];
    const refused: { readonly plan: DuePlan; readonly error: unknown }[] = [];
    for (const one of ready) {
      try {
        lost.push(...(await this.#commitReady([one])));
      } catch (error) {
        refused.push({ plan: one.plan, error });
      }
    }
    if (refused.length === ready.length) throw cause;
    for (const { plan, error } of refused) this.#tellStuck(plan, error);
    return lost;
  }

  #tellStuck({ key, kind, label }: DuePlan, error: unknown): void {
    this.#means.events.emit('plan.stuck', { key, kind, label, error });
  }

  /** One damaged plan keeps no other from going on. */
  async #decideSafely(plan: DuePlan, now: number): Promise<Decided | null> {
    const rule = this.#rules.get(plan.kind);
    // A newer version knows what to do with it.
    if (rule === undefined) return null;
    try {
      return await rule.decide(plan, now);
    } catch (error) {
      if (error instanceof LongshoreError && error.code.startsWith('STORE_')) throw error;
      this.#tellStuck(plan, error);
      return null;
    }
  }

  async #stop(key: string, { jobs, reports }: Stops): Promise<void> {
    if (jobs.length === 0 && reports.length === 0) return;
    const { store, events } = this.#means;
    try {
      for (let from = 0; from < jobs.length; from += STOPS_MAX)
        await store.control(jobs.slice(from, from + STOPS_MAX));
      if (reports.length > 0) await store.commit(reports.map((report) => ({ reports: [report] })));
      for (const { plan } of reports) this.#pending.add(plan);
      if (jobs.length > 0) this.#pending.add(key);
    } catch (error) {
      // Asked for again when the plan wakes.
      events.emit('store.failed', { verb: 'control', error, retryMs: null });
    }
  }
}

const TRIES_MAX = 50;

function isDue(now: number): (plan: DuePlan) => boolean {
  return ({ reports, wakeAt }) => reports.length > 0 || (wakeAt !== null && wakeAt <= now);
}

function busy(key: string): LongshoreError {
  return new LongshoreError(
    'STORE_BUSY',
    `Plan '${key}' changed ${TRIES_MAX} times while it was to be changed by hand; try again.`,
    { details: { key } },
  );
}
