import type { Outcome } from '../core/outcome.ts';
import type { AnyTask } from '../core/task.ts';
import type { Lanes } from '../execution/lanes.ts';
import type { Choice } from '../execution/routes.ts';
import type { Lease, TaskProfile, WorkerInfo } from '../store/store.ts';
import type { Slots } from '../tuner/slots.ts';
import type { Attempt } from './attempt.ts';
import { Confirmer } from './confirmer.ts';
import type { Tally } from './ended.ts';
import { Executor } from './executor.ts';
import { Fetcher } from './fetcher.ts';
import { lanesOf, profilesOf } from './lanes-of.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { Notes } from './notes.ts';
import type { WorkerParts } from './parts.ts';
import { Prefetch } from './prefetch.ts';
import { PutOff } from './put-off.ts';
import type { WorkerSettings } from './settings.ts';
import { Settler } from './settler.ts';
import { Strays } from './strays.ts';
import { Traces } from './traces.ts';
import type { WorkerHealth } from './trouble.ts';
import { slotsOf } from './tuning.ts';

/** Outcomes from which on a batch is worth a commit of its own. */
const APART_MIN = 50;

/**
 * The hot path of a worker: fetcher, executor and settler around one turn of the event loop (`turn`). Settle and claim
 * go to the store together, as one exchange, which a store can write in one commit. While an exchange is under way,
 * outcomes collect for the next one, as many as there come: the slower the store, the larger the batches.
 *
 * Where a store does two things at a time (`capabilities.parallel`), claims and settlements do not wait for each other,
 * and large batches go apart: on PostgreSQL that was 1.2 to 1.9 times the rate. A few outcomes and a claim of one turn
 * stay together: one commit, not two.
 */
export class Pipeline {
  readonly slots: Slots;
  readonly fetcher: Fetcher;
  readonly keeper: LeaseKeeper;
  /** Look for more after every settle, since a job may be ready again or have enqueued others: for runs that end when idle. */
  eager = false;
  readonly #parts: WorkerParts;
  readonly #info: WorkerInfo;
  readonly #settings: WorkerSettings;
  readonly #prefetch: Prefetch;
  readonly #notes: Notes;
  readonly #settler: Settler;
  readonly #confirmer: Confirmer;
  readonly #executor: Executor;
  readonly #lanes: Lanes;
  readonly #traces: Traces | null;
  #turnPending = false;
  #claimingOnce = false;
  #quietWaiters: (() => void)[] = [];

  constructor(
    parts: WorkerParts,
    settings: WorkerSettings,
    info: WorkerInfo,
    tasks: ReadonlyMap<string, AnyTask>,
  ) {
    this.#parts = parts;
    this.#info = info;
    this.#settings = settings;
    this.slots = slotsOf(parts, settings);
    this.#prefetch = new Prefetch(settings.prefetchMax);
    this.#notes = new Notes(parts);
    this.#traces = parts.tracing === null ? null : new Traces(parts.tracing, info.id);
    const shared = { ...parts, ...settings, workerId: info.id, slots: this.slots, traces: this.#traces };
    const turn = (): void => this.turn();
    const unsettled = (): number => this.#settler.pending + this.#confirmer.pending;
    const givingBack = (): boolean => this.#settler.givingBack;
    const release = (leases: readonly Lease[]): void => this.#release(leases);
    this.#settler = new Settler({ ...shared, onSettled: () => this.#onSettled() });
    const { transactions } = parts.store;
    this.#confirmer = new Confirmer({
      ...shared,
      transactions,
      settler: this.#settler,
      onUndone: (attempt, outcome) => this.#settle(attempt, outcome),
      onConfirmed: () => this.#onSettled(),
    });
    const onRoom = (): void => this.fetcher.onRoom();
    this.#lanes = lanesOf(tasks, { ...shared, onRoom });
    const putOff = new PutOff({ ...shared, tasks, notes: this.#notes });
    this.#executor = new Executor({
      ...shared,
      tasks,
      outcomeOfBarred: (lease, barrier) => putOff.outcomeOf(lease, barrier),
      lane: this.#lanes,
      notes: this.#notes,
      completions: { transactions, codec: parts.codec, notes: this.#notes },
      onCommitted: (attempt) => this.#confirmer.committed(attempt),
      unsettled,
      onOutcome: (attempt, outcome) => this.#onOutcome(attempt, outcome),
      onRelease: release,
      onCancelled: (leases) => {
        this.#settler.release(leases);
        turn();
      },
    });
    const executor = this.#executor;
    const { queues } = info;
    this.fetcher = new Fetcher({
      ...shared,
      queues,
      executor,
      admission: this.#lanes.admission,
      prefetch: this.#prefetch,
      unsettled,
      givingBack,
      release,
      turn,
    });
    const profiles = (): TaskProfile[] => profilesOf(this.choices);
    const claiming = (): boolean => this.fetcher.claiming || this.#claimingOnce;
    const claims = () => ({ begun: this.fetcher.begun, underWay: claiming() });
    const strays = new Strays({ ...shared, known: () => this.#known(), claims });
    this.keeper = new LeaseKeeper({ ...shared, executor, worker: info, profiles, claiming, strays });
  }

  /** Ids of the jobs it has in any way. */
  #known(): ReadonlySet<string> {
    const leases = [...this.#executor.leases(), ...this.#settler.leases()];
    return new Set(leases.map(({ id }) => id));
  }

  /** Since when it cannot do what it lives by, and why. */
  get troubles(): Pick<WorkerHealth, 'claim' | 'beat' | 'settle'> {
    return { claim: this.fetcher.health.trouble, beat: this.keeper.trouble, settle: this.#settler.trouble };
  }

  get tally(): Readonly<Tally> {
    return this.#settler.tally;
  }

  get running(): number {
    return this.#executor.running - this.#executor.early;
  }

  /** Where each task runs now, and why. */
  get choices(): Choice[] {
    return this.#lanes.choices();
  }

  /** Once per turn of the event loop, however much happened in it. */
  turn(): void {
    if (this.#turnPending) return;
    this.#turnPending = true;
    setImmediate(() => {
      this.#turnPending = false;
      if (!this.#exchange()) this.#executor.pump();
      // With an exchange, one turn later, when it was sent: the store works on it while handlers run here. And in any case,
      // so that what a claim brings meanwhile starts before the next turn, which may have to give it back.
      setImmediate(() => this.#executor.pump());
      this.keeper.report();
      this.#tellQuiet();
    });
  }

  /** Claims one batch of as many jobs as there are slots and starts it. */
  async claimOnce(mayStart: () => boolean, most = Number.POSITIVE_INFINITY): Promise<number> {
    const { leaseMs } = this.#settings;
    const limit = Math.min(most, Math.max(1, this.slots.total));
    const { id: workerId, queues } = this.#info;
    this.#claimingOnce = true;
    try {
      const { leases } = await this.#parts.store.claim({ workerId, queues, limit, leaseMs });
      if (mayStart()) this.#executor.accept(leases);
      else this.#settler.release(leases);
      return leases.length;
    } finally {
      this.#claimingOnce = false;
      this.turn();
    }
  }

  /** Resolves when nothing is buffered, running or unsettled, and `also` holds. */
  quiet(also: () => boolean = () => true): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        const { buffer, running } = this.#executor;
        const busy =
          buffer.length + running + this.#settler.pending + this.#confirmer.pending > 0 ||
          this.#parts.planner.busy;
        if (busy || !also()) this.#quietWaiters.push(check);
        else resolve();
      };
      this.#quietWaiters.push(check);
      this.turn();
    });
  }

  /**
   * Gives what was claimed but not started back to the store, uncharged, and so those that wait for a thread or a
   * process. Returns how many jobs of the first kind.
   */
  giveBack(): number {
    this.#executor.stopWaiting();
    const leases = this.#executor.buffer.takeAll();
    this.#release(leases);
    return leases.length;
  }

  /** Asks all running handlers to stop. Returns how many there are. */
  abortAll(): number {
    return this.#executor.abortAll();
  }

  /** Before the first claim. */
  openLanes(): Promise<void> {
    return this.#lanes.open();
  }

  /** Ends the threads and processes that no other worker shares. */
  closeLanes(): Promise<void> {
    return this.#lanes.close();
  }

  /** Writes the last notes, and forgets outcomes that the store could not take: their leases will expire. */
  async finish(): Promise<void> {
    await this.#notes.flush();
    await this.#confirmer.lastTry();
    await this.#settler.lastTry();
  }

  /** Whether there was something to send. */
  #exchange(): boolean {
    const { parallel } = this.#parts.store.capabilities;
    const { writing, pending } = this.#settler;
    if (!parallel && (writing || this.fetcher.claiming)) return false;
    const claiming = this.fetcher.claiming;
    const settles = !writing && this.#settler.flush();
    if (claiming) return settles;
    if (parallel && pending >= APART_MIN) setImmediate(() => this.fetcher.check());
    else this.fetcher.check();
    return settles || this.fetcher.claiming;
  }

  #release(leases: readonly Lease[]): void {
    this.#settler.release(leases);
    this.fetcher.onRelease(leases);
    this.turn();
  }

  #onOutcome(attempt: Attempt, outcome: Outcome | null): void {
    this.#prefetch.observeRun(attempt.runMs);
    if (this.#confirmer.ended(attempt, outcome)) this.turn();
    else this.#settle(attempt, outcome);
  }

  #settle(attempt: Attempt, outcome: Outcome | null): void {
    const { lease, runMs } = attempt;
    this.#traces?.ended(lease, outcome, runMs);
    if (lease.meta !== null && attempt.begun) this.#notes.ran(lease, this.#info.id, runMs);
    // Called in this turn, and so applied before the settle that follows.
    if (this.#notes.has(lease)) void this.#notes.flush();
    if (outcome === null) this.#settler.lose(lease, 'unknown');
    else {
      const beside = attempt.durable?.beside(outcome) ?? null;
      this.#settler.add(lease, outcome, runMs, { passedBy: attempt.task === null, beside });
    }
    this.turn();
  }

  #onSettled(): void {
    if (this.eager) this.fetcher.wake();
    this.turn();
  }

  #tellQuiet(): void {
    if (this.#quietWaiters.length === 0) return;
    const waiters = this.#quietWaiters;
    this.#quietWaiters = [];
    for (const check of waiters) check();
  }
}
