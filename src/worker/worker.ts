import { optionInvalid, requireMs } from '../core/errors.ts';
import { indexTasks } from '../core/task.ts';
import { insideHost } from '../execution/border.ts';
import type { Choice } from '../execution/routes.ts';
import type { WorkerInfo } from '../store/store.ts';
import type { Tally } from './ended.ts';
import { Leader } from './leader.ts';
import { dutiesOf } from './maintenance/duties.ts';
import { reap } from './maintenance/reap.ts';
import {
  requireStartOptions,
  requireStopOptions,
  requireWorkerOptions,
  type StartOptions,
  type StopOptions,
  upsertOf,
  type WorkerOptions,
} from './options.ts';
import type { WorkerParts } from './parts.ts';
import { Pipeline } from './pipeline.ts';
import { PlanSweeper } from './plan-sweeper.ts';
import { alreadyStarted, runsOnce, startedInHost } from './refusals.ts';
import { ROLES, requireRole, requireRoles, type WorkerRole } from './roles.ts';
import { type WorkerSettings, workerSettings } from './settings.ts';
import { drain } from './shutdown.ts';
import { tellGivenBack } from './strays.ts';
import type { WorkerGauges, WorkerHealth } from './trouble.ts';
import { workerId } from './worker-id.ts';

/** The service that claims, runs and settles jobs: starts and stops its parts, and names its roles. The hot path is pipeline.ts. */
export class Worker {
  readonly id: string;
  readonly settings: WorkerSettings;
  readonly #parts: WorkerParts;
  readonly #roles: ReadonlySet<WorkerRole>;
  readonly #info: WorkerInfo;
  readonly #pipeline: Pipeline;
  readonly #leader: Leader;
  readonly #plans: PlanSweeper;
  readonly #upsert: () => Promise<unknown>;
  #mode: 'stopped' | 'started' | 'once' = 'stopped';
  #stopping: Promise<void> | null = null;
  #keepOpen: NodeJS.Timeout | null = null;

  /** Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE. */
  constructor(options: WorkerOptions, parts: WorkerParts) {
    requireWorkerOptions(options);
    const { tasks: taskList, roles = ROLES, schedules: _s, schedulesOwner: _o, ...settings } = options;
    if (!Array.isArray(taskList)) throw optionInvalid('tasks', taskList, 'an array of tasks');
    this.#parts = parts;
    this.#upsert = upsertOf(options, parts.schedules);
    this.settings = workerSettings(settings, parts.fileSettings, parts.env);
    const tasks = indexTasks(taskList);
    const queues = this.settings.queues ?? [...new Set(taskList.map((task) => task.queue))];
    this.id = workerId(parts);
    this.#roles = new Set(requireRoles(roles));
    this.#info = this.#describe([...tasks.keys()], queues);
    this.#pipeline = new Pipeline(parts, this.settings, this.#info, tasks);
    this.#leader = new Leader({
      ...parts,
      workerId: this.id,
      leaseMs: this.settings.leaseMs,
      duties: dutiesOf({ ...parts, ...this.settings }),
      onChange: () => this.#plans.look(),
    });
    const { pollMs } = this.settings;
    this.#plans = new PlanSweeper({ ...parts, pollMs, leads: () => this.#leader.leading });
  }

  /** Attempts ended since the worker was made, by outcome. */
  get tally(): Readonly<Tally> {
    return this.#pipeline.tally;
  }

  /** Handlers that run now. */
  get running(): number {
    return this.#pipeline.running;
  }

  /** How many jobs may run at the same time now, and how many do. With a tuner the first changes, and may be the smaller one. */
  get slots(): { readonly total: number; readonly used: number } {
    const { total, used } = this.#pipeline.slots;
    return { total, used };
  }

  /** In which lane the jobs of each task run now, why, and what was measured. */
  profiles(): readonly Choice[] {
    return this.#pipeline.choices;
  }

  /** It claims jobs: the role `processing` is started. */
  get isProcessing(): boolean {
    return this.#pipeline.fetcher.running;
  }

  /** It looks after the store, or would if the worker that does were gone: the role `scheduling` is started. */
  get isScheduling(): boolean {
    return this.#leader.running;
  }

  /** As it is now, without asking the store. A worker that is not started is not in trouble. */
  health(): WorkerHealth {
    const { claim, beat, settle } = this.#pipeline.troubles;
    return {
      id: this.id,
      ok: claim === null && beat === null && settle === null,
      started: this.#mode === 'started',
      running: this.running,
      claim,
      beat,
      settle,
    };
  }

  gauges(): WorkerGauges {
    const { id, running, slots } = this;
    const lanes = this.profiles().map(({ task, lane }) => ({ task, lane }));
    const troubles = Object.entries(this.#pipeline.troubles).flatMap(([verb, one]) =>
      one === null ? [] : [verb],
    );
    return { id, leading: this.#leader.leading, running, slots, lanes, troubles };
  }

  /**
   * Registers the worker and starts its roles (or the ones given). Keeps the process alive until stopped.
   * Rejects with the store's error when it cannot be reached. Idempotent.
   */
  async start(options: StartOptions = {}): Promise<void> {
    requireStartOptions(options);
    const roles = requireRoles(options.roles ?? [...this.#roles]);
    // Without a stop under way it begins at once, so that a stop in the same turn meets a worker that starts.
    if (this.#stopping !== null) await this.#stopping;
    this.#begin('started');
    try {
      await this.#pipeline.keeper.start();
      await this.#pipeline.openLanes();
      if (this.#isUp()) await this.#upsert();
      // A stop may have come meanwhile: what starts after it would never be stopped.
      if (roles.includes('scheduling') && this.#isUp()) {
        await this.#leader.start();
        if (this.#parts.store.capabilities.plans) await this.#plans.start();
      }
      if (roles.includes('processing') && this.#isUp()) await this.#startFetching();
    } catch (error) {
      await this.stop({ graceMs: 0 });
      throw error;
    }
  }

  /**
   * Stops gracefully: claims nothing more, gives unstarted jobs back uncharged, waits `graceMs` for running ones,
   * then aborts their signals and, after the abort grace, gives back what still runs. Idempotent.
   */
  stop(options: StopOptions = {}): Promise<void> {
    requireStopOptions(options);
    const graceMs = requireMs('graceMs', options.graceMs ?? this.settings.graceMs);
    if (this.#mode === 'stopped') return this.#stopping ?? Promise.resolve();
    this.#stopping ??= this.#stop(graceMs).finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  /** Stops one role only; the worker stays registered. Running jobs go on. */
  async stopRole(role: WorkerRole): Promise<void> {
    requireRole('role', role);
    await (role === 'processing' ? this.#pipeline.fetcher.stop() : this.#plans.stop());
    if (role === 'scheduling') await this.#leader.stop();
    if (role === 'processing') this.#pipeline.giveBack();
  }

  /** With nothing started: claims one batch of as many jobs as there are slots, runs it, settles it. Resolves to how the attempts ended. */
  runOnce(): Promise<Tally> {
    return this.#runWithoutStart(async () => {
      await this.#pipeline.claimOnce(() => this.#isUp());
      await this.#pipeline.quiet();
    });
  }

  /** With nothing started: runs the next job, if there is one. Resolves to whether there was. */
  async processNext(): Promise<boolean> {
    let claimed = 0;
    await this.#runWithoutStart(async () => {
      claimed = await this.#pipeline.claimOnce(() => this.#isUp(), 1);
      await this.#pipeline.quiet();
    });
    return claimed > 0;
  }

  /** With nothing started: runs jobs until none is claimable, those included that jobs enqueue. Jobs due later stay. */
  runUntilIdle(): Promise<Tally> {
    return this.#runWithoutStart(async () => {
      const { fetcher } = this.#pipeline;
      await fetcher.start();
      await this.#pipeline.quiet(() => fetcher.dry);
      await fetcher.stop();
      if (fetcher.health.fault !== null) throw fetcher.health.fault;
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
    if (this.#isUp()) await this.#pipeline.fetcher.start();
  }

  #isUp(): boolean {
    return this.#mode !== 'stopped' && this.#stopping === null;
  }

  async #stop(graceMs: number): Promise<void> {
    const { store, clock, events } = this.#parts;
    events.emit('worker.stopping', { workerId: this.id, running: this.running, graceMs });
    await this.#pipeline.fetcher.stop();
    const released = this.#pipeline.giveBack();
    const aborted = await drain({
      clock,
      graceMs,
      abortGraceMs: this.settings.abortGraceMs,
      quiet: () => this.#pipeline.quiet(),
      abort: () => this.#pipeline.abortAll(),
    });
    await this.#plans.stop();
    await this.#leader.stop();
    await this.#pipeline.closeLanes();
    await this.#pipeline.finish();
    // However the store is, the worker ends: what it still holds expires.
    for (const [verb, farewell] of [
      ['keepAlive', () => this.#pipeline.keeper.stop()],
      ['retire', async () => tellGivenBack(store, events, await store.retire(this.id))],
    ] as const) {
      await farewell().catch((error) => events.emit('store.failed', { verb, error, retryMs: null }));
    }
    this.#end();
    events.emit('worker.stopped', { workerId: this.id, aborted, released });
  }

  async #runWithoutStart(work: () => Promise<void>): Promise<Tally> {
    if (this.#stopping !== null) await this.#stopping;
    if (this.#mode !== 'stopped') throw alreadyStarted();
    this.#begin('once');
    const before = { ...this.tally };
    try {
      await this.#pipeline.keeper.start();
      await this.#pipeline.openLanes();
      await this.#upsert();
      await reap(this.#parts.store, this.#parts.events, this.settings.crashesMax);
      if (this.#parts.store.capabilities.plans) await this.#parts.planner.sweep(0);
      if (this.#isUp()) await work();
    } finally {
      await this.stop();
    }
    return Object.fromEntries(
      Object.entries(this.tally).map(([type, count]) => [type, count - before[type as keyof Tally]]),
    ) as Tally;
  }

  #begin(mode: 'started' | 'once'): void {
    if (this.#mode === 'once') throw runsOnce();
    if (this.#mode === mode) return;
    if (insideHost()) throw startedInHost();
    this.#pipeline.slots.start(() => this.#pipeline.fetcher.onSlots());
    this.#mode = mode;
    this.#parts.live.add(this);
    this.#pipeline.eager = mode === 'once';
    // A started worker is work: the process stays although no timer or thread of ours holds it.
    this.#keepOpen = setInterval(() => undefined, HELD_OPEN_MS);
    this.#parts.events.emit('worker.started', {
      workerId: this.id,
      tasks: this.#info.tasks,
      queues: this.#info.queues,
      slots: this.#pipeline.slots.total,
    });
  }

  #end(): void {
    if (this.#keepOpen !== null) clearInterval(this.#keepOpen);
    this.#keepOpen = null;
    this.#mode = 'stopped';
    this.#pipeline.slots.stop();
    this.#parts.live.delete(this);
  }

  #describe(tasks: readonly string[], queues: readonly string[]): WorkerInfo {
    const { host, pid, version, clock } = this.#parts;
    return { id: this.id, host, pid, version, tasks, queues, startedAt: clock.now() };
  }
}

const HELD_OPEN_MS = 2 ** 30;
