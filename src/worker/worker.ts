import type { Clock } from '../core/clock.ts';
import { LongshoreError, requireMs } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Outcome } from '../core/outcome.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { type AnyTask, indexTasks } from '../core/task.ts';
import { inlineLane } from '../execution/inline.ts';
import type { Lane } from '../execution/lane.ts';
import type { Store, WorkerInfo } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { fixedSlots } from '../tuner/fixed.ts';
import type { Slots } from '../tuner/slots.ts';
import type { Attempt } from './attempt.ts';
import { Executor } from './executor.ts';
import { Fetcher } from './fetcher.ts';
import { type Duty, Leader } from './leader.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { deadLetterDuty } from './maintenance/dead-letters.ts';
import { pruneDuty } from './maintenance/prune.ts';
import { reapDuty } from './maintenance/reap.ts';
import { Notes } from './notes.ts';
import { Prefetch } from './prefetch.ts';
import { type WorkerSettings, workerSettings } from './settings.ts';
import { Settler, type Tally } from './settler.ts';
import { drain } from './shutdown.ts';

/**
 * The service that claims, runs and settles jobs. This file only assembles the parts and starts and stops them.
 *
 * The hot path, in the order of one turn of the event loop (`#turn`): the settler writes the outcomes collected
 * since the last turn, the executor starts what is buffered, the fetcher claims for what became free. The store
 * writes the settle and the claim of one turn in one commit.
 */
export interface WorkerOptions extends Partial<WorkerSettings> {
  readonly tasks: readonly AnyTask[];
  /** What this worker does: run jobs (`processing`), look after the store (`scheduling`), or both, the default. */
  readonly roles?: readonly WorkerRole[];
}

export type WorkerRole = 'processing' | 'scheduling';

export interface StopOptions {
  /** How long to wait for running jobs before their signals abort; default: the setting, 10 s. */
  readonly graceMs?: number;
}

/** What the composition root hands over. */
export interface WorkerParts {
  readonly store: Store;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly codec: PayloadCodec;
  readonly fileSettings: Partial<WorkerSettings>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** [0, 1). */
  readonly random: () => number;
}

const HELD_OPEN_MS = 2 ** 30;

export class Worker {
  readonly id: string;
  readonly settings: WorkerSettings;
  readonly #parts: WorkerParts;
  readonly #roles: ReadonlySet<WorkerRole>;
  readonly #queues: readonly string[];
  readonly #info: WorkerInfo;
  readonly #slots: Slots;
  readonly #prefetch: Prefetch;
  readonly #lane: Lane;
  readonly #notes: Notes;
  readonly #settler: Settler;
  readonly #executor: Executor;
  readonly #fetcher: Fetcher;
  readonly #keeper: LeaseKeeper;
  readonly #leader: Leader;
  #turnPending = false;
  #quietWaiters: (() => void)[] = [];
  #mode: 'stopped' | 'started' | 'once' = 'stopped';
  #stopping: Promise<void> | null = null;
  #keepOpen: NodeJS.Timeout | null = null;

  /** Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE. */
  constructor(options: WorkerOptions, parts: WorkerParts) {
    const { tasks: taskList, roles = ['processing', 'scheduling'], ...settings } = options;
    const { store, events, clock, random, codec } = parts;
    this.#parts = parts;
    this.settings = workerSettings(settings, parts.fileSettings, parts.env);
    const { leaseMs, pollMs, abortGraceMs, crashesMax } = this.settings;
    const tasks = indexTasks(taskList);
    this.id = newId(clock.now());
    this.#roles = new Set(roles);
    this.#queues = this.settings.queues ?? [...new Set(taskList.map((task) => task.queue))];
    this.#info = this.#describe([...tasks.keys()]);
    this.#slots = fixedSlots(this.settings.concurrency);
    this.#prefetch = new Prefetch(this.settings.prefetchMax);
    this.#lane = inlineLane();
    this.#notes = new Notes({ store, clock, events, codec });
    const shared = { store, clock, events, random, workerId: this.id, slots: this.#slots, leaseMs };
    const unsettled = (): number => this.#settler.pending;
    const turn = (): void => this.#turn();
    this.#settler = new Settler({ ...shared, onSettled: turn });
    this.#executor = new Executor({
      ...shared,
      tasks,
      lane: this.#lane,
      notes: this.#notes,
      abortGraceMs,
      crashesMax,
      codec,
      unsettled,
      onOutcome: (attempt, outcome) => this.#onOutcome(attempt, outcome),
      onRelease: (leases) => {
        this.#settler.release(leases);
        this.#turn();
      },
    });
    this.#fetcher = new Fetcher({
      ...shared,
      executor: this.#executor,
      prefetch: this.#prefetch,
      queues: this.#queues,
      pollMs,
      unsettled,
      onClaimed: turn,
    });
    this.#keeper = new LeaseKeeper({ ...shared, executor: this.#executor, worker: this.#info });
    this.#leader = new Leader({ ...shared, duties: this.#duties() });
  }

  /** Attempts ended since the worker was made, by outcome. */
  get tally(): Readonly<Tally> {
    return this.#settler.tally;
  }

  /** Handlers that run now. */
  get running(): number {
    return this.#executor.running;
  }

  get isProcessing(): boolean {
    return this.#fetcher.running;
  }

  get isScheduling(): boolean {
    return this.#leader.running;
  }

  /**
   * Registers the worker and starts its roles (or the ones given). Keeps the process alive until stopped.
   * Rejects with the store's error when it cannot be reached. Idempotent.
   */
  async start(options: { readonly roles?: readonly WorkerRole[] } = {}): Promise<void> {
    const roles = options.roles ?? [...this.#roles];
    await this.#stopping;
    this.#begin('started');
    await this.#keeper.start();
    if (roles.includes('scheduling')) await this.#leader.start();
    if (roles.includes('processing')) await this.#startFetching();
  }

  /**
   * Stops gracefully: claims nothing more, gives unstarted jobs back uncharged, waits `graceMs` for running ones,
   * then aborts their signals and, after the abort grace, gives back what still runs. Idempotent.
   */
  stop(options: StopOptions = {}): Promise<void> {
    if (this.#mode === 'stopped') return this.#stopping ?? Promise.resolve();
    this.#stopping ??= this.#stop(requireMs('graceMs', options.graceMs ?? this.settings.graceMs)).finally(
      () => {
        this.#stopping = null;
      },
    );
    return this.#stopping;
  }

  /** Stops one role only; the worker stays registered. Running jobs go on. */
  async stopRole(role: WorkerRole): Promise<void> {
    await (role === 'processing' ? this.#fetcher.stop() : this.#leader.stop());
    if (role === 'processing') this.#giveBackBuffered();
  }

  /** With nothing started: claims one batch of at most `concurrency` jobs, runs it, settles it. Resolves to how the attempts ended. */
  runOnce(): Promise<Tally> {
    return this.#runWithoutStart(async () => {
      const { leases } = await this.#parts.store.claim({
        workerId: this.id,
        queues: this.#queues,
        limit: this.settings.concurrency,
        leaseMs: this.settings.leaseMs,
      });
      this.#executor.accept(leases);
      await this.#quiet(() => true);
    });
  }

  /** With nothing started: runs jobs until none is claimable, those included that jobs enqueue. Jobs due later stay. */
  runUntilIdle(): Promise<Tally> {
    return this.#runWithoutStart(async () => {
      await this.#fetcher.start();
      await this.#quiet(() => this.#fetcher.dry);
      await this.#fetcher.stop();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #startFetching(): Promise<void> {
    const { clock, random } = this.#parts;
    const { startupJitterMs } = this.settings;
    if (startupJitterMs > 0)
      await new Promise<void>((resolve) => void clock.after(random() * startupJitterMs, resolve));
    if (this.#mode === 'started' && this.#stopping === null) await this.#fetcher.start();
  }

  async #stop(graceMs: number): Promise<void> {
    const { store, clock, events } = this.#parts;
    events.emit('worker.stopping', { workerId: this.id, running: this.running, graceMs });
    await this.#fetcher.stop();
    const released = this.#giveBackBuffered();
    const aborted = await drain({
      clock,
      graceMs,
      abortGraceMs: this.settings.abortGraceMs,
      quiet: () => this.#quiet(() => true),
      abort: () => this.#executor.abortAll(),
    });
    await this.#leader.stop();
    await this.#notes.flush();
    await this.#keeper.stop();
    // What could not be settled is left to expire when the store is away: retire then fails as well, and says so.
    this.#settler.abandon();
    await store
      .retire(this.id)
      .catch((error) => events.emit('store.failed', { verb: 'retire', error, retryMs: null }));
    this.#end();
    events.emit('worker.stopped', { workerId: this.id, aborted, released });
  }

  async #runWithoutStart(work: () => Promise<void>): Promise<Tally> {
    await this.#stopping;
    if (this.#mode !== 'stopped') {
      throw new LongshoreError(
        'OPTION_INVALID',
        'runOnce and runUntilIdle are for a worker that is not started and not already running; stop it first.',
      );
    }
    this.#begin('once');
    const before = { ...this.tally };
    try {
      await this.#keeper.start();
      await this.#parts.store.reap({ crashesMax: this.settings.crashesMax });
      await work();
    } finally {
      await this.stop();
    }
    return Object.fromEntries(
      Object.entries(this.tally).map(([type, count]) => [type, count - before[type as keyof Tally]]),
    ) as Tally;
  }

  #begin(mode: 'started' | 'once'): void {
    if (this.#mode === 'once')
      throw new LongshoreError(
        'OPTION_INVALID',
        'This worker is inside runOnce or runUntilIdle; wait for it first.',
      );
    if (this.#mode === mode) return;
    this.#mode = mode;
    // A started worker is work: the process stays although no timer or thread of ours holds it.
    this.#keepOpen = setInterval(() => undefined, HELD_OPEN_MS);
    this.#parts.events.emit('worker.started', {
      workerId: this.id,
      tasks: this.#info.tasks,
      queues: this.#queues,
      slots: this.#slots.total,
    });
  }

  #end(): void {
    if (this.#keepOpen !== null) clearInterval(this.#keepOpen);
    this.#keepOpen = null;
    this.#mode = 'stopped';
  }

  #onOutcome(attempt: Attempt, outcome: Outcome | null): void {
    const { lease, runMs } = attempt;
    this.#prefetch.observeRun(runMs);
    if (this.#notes.has(lease)) void this.#notes.flush();
    if (outcome !== null) this.#settler.add(lease, outcome, runMs);
    else this.#settler.tally.lost += 1;
    if (this.#mode === 'once') this.#fetcher.wake();
    this.#turn();
  }

  /** Once per turn of the event loop, however much happened in it. */
  #turn(): void {
    if (this.#turnPending) return;
    this.#turnPending = true;
    setImmediate(() => {
      this.#turnPending = false;
      this.#settler.flush();
      this.#executor.pump();
      this.#fetcher.check();
      this.#keeper.report();
      this.#tellQuiet();
    });
  }

  #giveBackBuffered(): number {
    const leases = this.#executor.takeBuffered();
    this.#settler.release(leases);
    this.#turn();
    return leases.length;
  }

  /** Resolves when nothing is buffered, running or unsettled, and `also` holds. */
  #quiet(also: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        const { buffered, running } = this.#executor;
        if (buffered + running + this.#settler.pending > 0 || !also()) this.#quietWaiters.push(check);
        else resolve();
      };
      this.#quietWaiters.push(check);
      this.#turn();
    });
  }

  #tellQuiet(): void {
    if (this.#quietWaiters.length === 0) return;
    const waiters = this.#quietWaiters;
    this.#quietWaiters = [];
    for (const check of waiters) check();
  }

  #duties(): Duty[] {
    const { store, events } = this.#parts;
    const { leaseMs, crashesMax, deadLetterAlert } = this.settings;
    const duties = [reapDuty({ store, events, leaseMs, crashesMax }), pruneDuty({ store, events })];
    if (deadLetterAlert > 0) duties.push(deadLetterDuty({ store, events, threshold: deadLetterAlert }));
    return duties;
  }

  #describe(tasks: readonly string[]): WorkerInfo {
    const { host, pid, version, clock } = this.#parts;
    return { id: this.id, host, pid, version, tasks, queues: this.#queues, startedAt: clock.now() };
  }
}
