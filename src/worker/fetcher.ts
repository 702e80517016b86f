import type { CancelTimer, Clock } from '../core/clock.ts';
import type { Admission } from '../execution/admission.ts';
import type { Planner } from '../flow/planner.ts';
import type { Lease, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { Slots } from '../tuner/slots.ts';
import { BackoffTimer } from './backoff-timer.ts';
import { BlockedQueues, type Question } from './blocked-queues.ts';
import { BufferWatch } from './buffer-watch.ts';
import { ClaimPace } from './claim-pace.ts';
import { ClaimTrouble } from './claim-trouble.ts';
import type { Executor } from './executor.ts';
import { averageInput, type Prefetch } from './prefetch.ts';
import { Rotation } from './rotation.ts';
import { Service } from './service.ts';

/**
 * Claims jobs for free slots: notifier -> fetcher -> store.claim -> executor. One claim is under way at a time.
 * It claims when there is room and reason: a hint, the last claim came back full, a scheduled job became due, or the
 * poll interval passed. Jobs that run and wait never exceed slots plus the prefetch; as many more may have run and wait
 * for their outcomes to be stored, or wait for a pool while jobs of other queues pass them, until they go back.
 * Nothing overtakes a job that goes back: no claim is sent before the store has it, and what a claim that is under way brings
 * of its queue goes back as well. Each time that happens the buffer was not empty, so that a claim in between got through.
 */
export interface FetcherOptions {
  readonly store: Store;
  readonly planner: Pick<Planner, 'onAdding'>;
  readonly executor: Executor;
  /** Null: no job has to wait for a pool. */
  readonly admission: Admission | null;
  readonly slots: Slots;
  readonly prefetch: Prefetch;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly workerId: string;
  readonly queues: readonly string[];
  readonly leaseMs: number;
  readonly pollMs: number;
  /** The next job is claimed when the outcome of the one before is stored. */
  readonly serial: boolean;
  readonly random: () => number;
  /** Outcomes not yet in the store: their leases are still held. */
  readonly unsettled: () => number;
  /** Jobs are on their way back to the store. */
  readonly givingBack: () => boolean;
  /** Leases to give back unstarted: of a claim that a stop or a give-back overtook, of a buffer that stalls. */
  readonly release: (leases: readonly Lease[]) => void;
  /** There is a reason to claim, or a claim ended: call `check` in the next turn. */
  readonly turn: () => void;
}

export class Fetcher extends Service {
  readonly #options: FetcherOptions;
  readonly #backoff: BackoffTimer;
  #unsubscribe = (): void => undefined;
  #cancelTimer: CancelTimer | null = null;
  #claiming: Promise<void> | null = null;
  /** Claims that began so far. */
  begun = 0;
  #open = false;
  /** There may be claimable jobs. */
  #reason = false;
  /** Queues of which jobs went back while a claim was under way. */
  readonly #overtaken = new Set<string>();
  /** Queues whose jobs wait here were not asked, since as many wait as may. */
  #leftOut = false;
  readonly #rotation = new Rotation();
  readonly #blocked: BlockedQueues | null;
  readonly #watch: BufferWatch;
  readonly #pace = new ClaimPace();
  #cancelLook: CancelTimer | null = null;
  readonly health = new ClaimTrouble();

  constructor(options: FetcherOptions) {
    super();
    this.#options = options;
    const { admission, executor } = options;
    this.#blocked =
      admission === null ? null : new BlockedQueues(admission, (pool) => executor.buffer.parkedFor(pool));
    if (admission !== null) admission.onRoom = () => this.onRoom();
    this.#backoff = new BackoffTimer(options.clock, options.random);
    const watched = { buffer: executor.buffer, blocked: this.#blocked, pace: this.#pace };
    this.#watch = new BufferWatch({ ...options, ...watched });
  }

  /** True when the last claim found nothing and no hint came since, or no claim will come. */
  get dry(): boolean {
    if (!this.#open || this.health.fault !== null) return true;
    return !this.#reason && !this.#leftOut && this.#claiming === null && (this.#blocked?.size ?? 0) === 0;
  }

  /** A claim is under way. */
  get claiming(): boolean {
    return this.#claiming !== null;
  }

  /** There may be claimable jobs: look as soon as there is room. */
  wake(): void {
    this.#reason = true;
    this.#options.turn();
  }

  /** Claims if there is room and reason. Cheap; called at every turn in which something ended. */
  check(): void {
    if (this.#open) this.#watch.look();
    this.#lookLater();
    if (this.#claiming !== null) return;
    const question = this.#mayAsk && this.#hasReason() ? this.#question() : null;
    if (question === null) this.#blocked?.letGo();
    else
      this.#claiming = this.#claim(question).finally(() => {
        this.#claiming = null;
        this.#blocked?.letGo();
        this.#options.turn();
      });
  }

  /** Jobs are being added in this turn: a worker with nothing to do claims in the same one. */
  #claimAlong(): void {
    this.#reason = true;
    if (this.#options.slots.used === 0) this.check();
  }

  /** A pool may have room: for what waits here, or for jobs that have to be claimed again. */
  onRoom(): void {
    const { executor, turn } = this.#options;
    const { parked } = executor.buffer;
    if (parked > 0) executor.pump();
    // Who has started a job has had its turn.
    if (this.#mayAsk && executor.buffer.parked === parked) this.#blocked?.hold();
    turn();
  }

  /** These go back to the store; told by whoever gives them back. */
  onRelease(leases: readonly Lease[]): void {
    this.#reason = true;
    if (this.#claiming !== null) for (const { queue } of leases) this.#overtaken.add(queue);
  }

  /** There are more or fewer slots. While more are used than there are, nothing that waits here will start soon. */
  onSlots(): void {
    const { slots, executor, release, turn } = this.#options;
    const waiting = slots.used > slots.total ? executor.buffer.takeAll() : [];
    if (waiting.length > 0) release(waiting);
    turn();
  }

  protected onStart(): void {
    const { store, planner } = this.#options;
    this.#open = true;
    this.health.clear();
    const hears = store.notifier.subscribe('ready', () => this.wake());
    const along = planner.onAdding(() => this.#claimAlong());
    this.#unsubscribe = () => [hears, along].forEach((stop) => void stop());
    this.wake();
  }

  /** Resolves when no claim is under way; what the last one brought was given back. */
  protected async onStop(): Promise<void> {
    this.#open = false;
    this.#unsubscribe();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#watch.stop();
    this.#cancelLook?.();
    this.#cancelLook = null;
    await this.#claiming;
    this.#leftOut = false;
    this.#blocked?.clear();
    this.#backoff.reset();
  }

  /**
   * How many jobs to ask for now. With a prefetch, the jobs at hand are claimed in two parts: one runs while the other
   * is claimed. With all slots busy it waits until there is room for a whole part, so that claims stay large.
   */
  #room(): number {
    const { slots, executor, prefetch, unsettled, serial } = this.#options;
    if (executor.isolating || slots.used > slots.total) return 0;
    const waiting = executor.buffer.length - this.#passed;
    const places = this.#places;
    const atHand = places + prefetch.size(places);
    const part = Math.max(places, Math.ceil(atHand / 2));
    const idleSlots = places - slots.used - waiting;
    if (idleSlots <= 0 && waiting > atHand - part) return 0;
    const settling = Math.max(0, unsettled() - (serial ? 0 : atHand));
    const room = Math.min(atHand - waiting - executor.running - settling, part, prefetch.claimMax);
    return this.#pace.room(room, waiting);
  }

  /** Jobs that can run at a time: slots of which no lane can make use do not count. */
  get #places(): number {
    const { slots, admission } = this.#options;
    return admission === null ? slots.total : Math.min(slots.total, admission.capacity);
  }

  /** Jobs that wait for a pool, where others can pass them. */
  get #passed(): number {
    const { executor, admission } = this.#options;
    return admission === null || Number.isFinite(admission.capacity) ? 0 : executor.buffer.parked;
  }

  get #mayAsk(): boolean {
    return this.#open && !this.#backoff.waiting && !this.#options.givingBack();
  }

  #hasReason(): boolean {
    const { clock } = this.#options;
    // Not before there is room for half of them again, so that claims stay large.
    if (!this.#reason && this.#leftOut) this.#reason = 2 * this.#passed <= this.#room();
    if (!this.#reason && this.#blocked !== null && this.#blocked.size > 0)
      this.#reason = this.#blocked.ready(clock.now());
    return this.#reason;
  }

  /** Which queues to ask now, and for how many jobs; null: none. */
  #question(): Question | null {
    const { executor, clock } = this.#options;
    const room = this.#room();
    if (room <= 0) return null;
    const passed = this.#passed;
    let queues = this.#rotation.next(this.#options.queues);
    // As many wait for a pool as may: only jobs of other queues are of use.
    const full = passed > 0 && passed >= room;
    this.#leftOut = full;
    if (full) {
      const parked = executor.buffer.parkedQueues();
      queues = queues.filter((queue) => !parked.has(queue));
      this.#reason = queues.length > 0;
    }
    let question: Question = { queues, limit: full ? room : room - passed };
    if (this.#blocked !== null && this.#blocked.size > 0) question = this.#blocked.ask(question, clock.now());
    return question.queues.length > 0 && question.limit > 0 ? question : null;
  }

  async #claim(question: Question): Promise<void> {
    const { store, executor, prefetch, events, workerId, leaseMs, clock } = this.#options;
    const { queues, limit } = question;
    this.begun += 1;
    this.#pace.asked(executor.buffer.length - this.#passed, clock.now());
    this.#reason = false;
    this.#overtaken.clear();
    const began = performance.now();
    try {
      const { now, leases, nextDueAt } = await store.claim({ workerId, queues, limit, leaseMs });
      const tookMs = performance.now() - began;
      this.#pace.brought(leases.length, clock.now());
      prefetch.observeAnswer(limit, true);
      if (leases.length > 0) prefetch.observeClaim(tookMs, averageInput(leases));
      prefetch.observeFull(leases.length === limit);
      if (leases.length === limit) this.#reason = true;
      this.#blocked?.answered(question, leases);
      if (events.wants('worker.claimed'))
        events.emit('worker.claimed', { workerId, jobs: leases.length, limit, tookMs });
      this.#wakeLater(nextDueAt === null ? null : nextDueAt - now);
      this.#accept(leases);
      // In the place that is held for them.
      if (leases.length > 0 && this.#blocked?.holds) executor.pump();
      this.#backoff.reset();
      this.health.succeeded(leases.length > 0);
    } catch (error) {
      this.#reason = true;
      prefetch.observeAnswer(limit, false);
      this.health.failed(error, clock.now());
      const retryMs = this.#backoff.retry(() => this.#options.turn());
      events.emit('store.failed', { verb: 'claim', error, retryMs });
    }
  }

  #accept(leases: readonly Lease[]): void {
    const { executor, release } = this.#options;
    const goesBack = ({ queue }: Lease): boolean => !this.#open || this.#overtaken.has(queue);
    const back = leases.filter(goesBack);
    if (back.length > 0) release(back);
    const kept = back.length === 0 ? leases : leases.filter((lease) => !goesBack(lease));
    if (kept.length > 0) executor.accept(kept);
  }

  /** No claim sets the timer for the next one while all queues are blocked. */
  #lookLater(): void {
    const { clock, turn } = this.#options;
    const waitMs = (this.#blocked?.lookAt ?? Number.POSITIVE_INFINITY) - clock.now();
    if (!this.#open || this.#cancelLook !== null || waitMs <= 0 || waitMs === Number.POSITIVE_INFINITY)
      return;
    this.#cancelLook = clock.after(waitMs, () => {
      this.#cancelLook = null;
      turn();
    });
  }

  #wakeLater(untilDueMs: number | null): void {
    const { clock, pollMs } = this.#options;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#open
      ? clock.after(Math.min(Math.max(untilDueMs ?? pollMs, 0), pollMs), () => this.wake())
      : null;
  }
}
