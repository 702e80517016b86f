import { hostname } from 'node:os';
import { noKeys } from '../cipher.ts';
import type { Clock } from '../core/clock.ts';
import { LongshoreError, requireInteger, requireMs } from '../core/errors.ts';
import { knownNames, requireKnown } from '../core/options.ts';
import { PAYLOAD_BYTES_MAX_DEFAULT, PayloadCodec } from '../core/payload.ts';
import { type AnyTask, indexTasks } from '../core/task.ts';
import { insideHost } from '../execution/border.ts';
import type { Lanes } from '../execution/lanes.ts';
import type { Choice } from '../execution/routes.ts';
import { logFor } from '../log-for.ts';
import { systemClock } from '../system-clock.ts';
import { EventBus, type EventListener, type EventName } from '../telemetry/events.ts';
import { lanesOf } from '../worker/lanes-of.ts';
import { startedInHost } from '../worker/refusals.ts';
import type { WorkerSettings } from '../worker/settings.ts';
import { drain } from '../worker/shutdown.ts';
import type { WorkerGauges } from '../worker/trouble.ts';
import { slotsOf } from '../worker/tuning.ts';
import { workerId } from '../worker/worker-id.ts';
import { type RunnerOptions, type RunnerSettings, runnerSettings } from './options.ts';
import { Permits } from './permits.ts';
import type { Ended, Permit, Work } from './work.ts';
import { errorOf } from './work-lease.ts';
import { Works } from './works.ts';

/**
 * The runner: runs tasks for an engine that is no store, in the lanes and slots of workers. A connector asks its engine for work and
 * hands it over; the runner makes a lease of it that no store has, gives it to the executor of workers, and hands back how it
 * ended. So context, schemas, timeouts, heartbeats, cancel, threads, logs and events are those of workers. It asks no engine for
 * anything, renews no lock and settles nothing: that is the connector's.
 *
 * connector -> runner -> executor -> lane -> handler, and back.
 */
export type { RunnerOptions, RunnerSettings } from './options.ts';
export type { Ended, LogEntry, Permit, Work } from './work.ts';

/**
 * Lanes and slots for the work of an engine. Its slots are those of all workers and runners of the process, where they have a tuner.
 * Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE.
 */
export function createRunner(options: RunnerOptions): Runner {
  return new Runner(options, runnerSettings(options));
}

/** Runs the work of one engine. Get one from `createRunner`. */
export class Runner {
  /** Tells runners and workers apart: `temporal-host-4711-k3f9x2ab`. */
  readonly id: string;
  readonly engine: string;
  /** What its settings came to: given, from the environment, or defaults. */
  readonly settings: RunnerSettings;
  readonly #tasks: ReadonlyMap<string, AnyTask>;
  readonly #events = new EventBus();
  readonly #clock: Clock;
  readonly #logger: RunnerOptions['logger'];
  readonly #permits: Permits;
  readonly #lanes: Lanes;
  readonly #works: Works;
  readonly #roomListeners = new Set<() => void>();
  #roomPending = false;
  #opening: Promise<void> | null = null;
  #opened = false;
  #stopping: Promise<void> | null = null;
  #keepOpen: NodeJS.Timeout | null = null;

  /** Get one from `createRunner`. */
  constructor(options: RunnerOptions, settings: WorkerSettings) {
    this.settings = settings;
    this.#tasks = indexTasks(options.tasks);
    this.engine = options.engine;
    this.id = `${this.engine}-${workerId({ host: hostname(), pid: process.pid, random: Math.random })}`;
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    const { payloadBytesMax = PAYLOAD_BYTES_MAX_DEFAULT, tracing, sensor } = options;
    const codec = new PayloadCodec(requireInteger('payloadBytesMax', payloadBytesMax, 1), noKeys);
    const onRoom = (): void => {
      this.#works.pump();
      this.#tellRoom();
    };
    const means = { codec, clock: this.#clock, events: this.#events, workerId: this.id, onRoom };
    this.#permits = new Permits(slotsOf({ ...means, sensor }, settings), onRoom);
    this.#lanes = lanesOf(this.#tasks, { ...settings, ...means });
    if (this.#lanes.admission !== null) this.#lanes.admission.onRoom = onRoom;
    this.#works = new Works({
      ...means,
      settings,
      tracing,
      engine: this.engine,
      tasks: this.#tasks,
      lanes: this.#lanes,
      permits: this.#permits,
      onEnd: () => this.#tellRoom(),
    });
  }

  /**
   * Opens the slots, and loads what threads and processes need. The first use does it as well; call it to hear of bad settings
   * before the engine is asked for work. Keeps the process alive until `stop`. Idempotent.
   * Rejects with OPTION_INVALID where another worker of this process has other settings of the tuner, and with WORKER_STOPPING.
   */
  async start(): Promise<void> {
    this.#begin();
    await this.#opening;
  }

  /** Runs one attempt. Never rejects. Without a permit it waits for a slot; in both cases, for room in its thread pool or process pool. */
  async run(work: Work): Promise<Ended> {
    try {
      await this.start();
      if (this.#stopping !== null) throw this.#stopped();
      return await this.#works.run(work);
    } catch (error) {
      work.permit?.release();
      if (this.#stopping !== null) return { state: 'released' };
      return { state: 'failed', error: errorOf(error), retry: false, ms: 0 };
    }
  }

  /**
   * Takes a slot, in the order of the calls. Rejects with the signal's reason when that aborts, with WORKER_STOPPING when the
   * runner stops, and as `start`. Permits that are out when the runner has stopped are given back by it.
   */
  async acquire(signal?: AbortSignal): Promise<Permit> {
    await this.start();
    return this.#permits.acquire(signal);
  }

  /** Takes a slot if there is one that nobody waits for. Throws as `start` rejects. */
  tryAcquire(): Permit | null {
    this.#begin();
    return this.#permits.tryAcquire();
  }

  /** How many slots there are now. With a tuner it changes, and may be fewer than are used. */
  get limit(): number {
    return this.#permits.total;
  }

  /** Slots that are taken: by work that runs, and by permits. */
  get used(): number {
    return this.#permits.used;
  }

  /** Handlers that run now. */
  get running(): number {
    return this.#works.running;
  }

  /** Works that wait for a slot, or for room in their pool. */
  get waiting(): number {
    return this.#works.waiting;
  }

  /**
   * How many more works could start now, or, with a task's name, how many of that task: free slots, but no more than its pool has
   * room for. What is to be asked of an engine that gives out work in batches. 0 before the start and after the stop.
   */
  free(task?: string): number {
    if (!this.#opened || this.#stopping !== null) return 0;
    return this.#works.free(task);
  }

  /** Calls `listener` when `free` may have grown; may be called for nothing. The returned function ends that. */
  onRoom(listener: () => void): () => void {
    const added = (): void => listener();
    this.#roomListeners.add(added);
    return () => void this.#roomListeners.delete(added);
  }

  /** Calls `listener` for every event of that name, the names of a worker: `job.started`, `job.completed` … Throws OPTION_INVALID. */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    return this.#events.on(name, listener);
  }

  /** In which lane each task runs now, why, and what was measured. */
  profiles(): readonly Choice[] {
    return this.#lanes.choices();
  }

  /** In figures, as a worker has them. Null when it is not started. */
  gauges(): WorkerGauges | null {
    if (this.#keepOpen === null) return null;
    const lanes = this.profiles().map(({ task, lane }) => ({ task, lane }));
    const slots = { total: this.limit, used: this.used };
    return { id: this.id, leading: false, running: this.running, slots, lanes, troubles: [] };
  }

  /**
   * Stops for good: works that have not begun end as `released`, those that run get `graceMs` (default: the setting, 10 s), then
   * their signals abort, and after the abort grace they are given up and end as `released`. Idempotent. Throws OPTION_INVALID.
   */
  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    requireKnown('stop', options, STOP_OPTIONS);
    const graceMs = requireMs('graceMs', options.graceMs ?? this.settings.graceMs);
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #begin(): void {
    if (this.#stopping !== null) throw this.#stopped();
    if (this.#keepOpen !== null) return;
    if (insideHost()) throw startedInHost();
    this.#permits.start();
    this.#keepOpen = setInterval(() => undefined, HELD_OPEN_MS);
    this.#opening = this.#open();
    // Whoever starts, runs or acquires hears of it.
    this.#opening.catch(() => undefined);
  }

  async #open(): Promise<void> {
    (await logFor(this.#logger))(this.#events);
    await this.#lanes.open();
    this.#opened = true;
    const [tasks, queues] = [[...this.#tasks.keys()], [this.engine]];
    this.#events.emit('worker.started', { workerId: this.id, tasks, queues, slots: this.limit });
    this.#tellRoom();
  }

  async #stop(graceMs: number): Promise<void> {
    this.#permits.close(this.#stopped());
    if (this.#keepOpen === null) return;
    await this.#opening?.catch(() => undefined);
    this.#events.emit('worker.stopping', { workerId: this.id, running: this.running, graceMs });
    const released = this.#works.release();
    const aborted = await drain({
      clock: this.#clock,
      graceMs,
      abortGraceMs: this.settings.abortGraceMs,
      quiet: () => this.#works.quiet(),
      abort: () => this.#works.abortAll(),
    });
    await this.#lanes.close();
    this.#permits.stop();
    clearInterval(this.#keepOpen);
    this.#keepOpen = null;
    this.#events.emit('worker.stopped', { workerId: this.id, aborted, released });
  }

  #stopped(): LongshoreError {
    const message = `The runner of ${this.engine} is stopping or has stopped: it takes no more work.`;
    return new LongshoreError('WORKER_STOPPING', message, { details: { id: this.id } });
  }

  /** Once per turn, from within whatever made room. */
  #tellRoom(): void {
    if (this.#roomPending) return;
    this.#roomPending = true;
    setImmediate(() => {
      this.#roomPending = false;
      for (const listener of this.#roomListeners) listener();
    });
  }
}

const STOP_OPTIONS = knownNames<{ readonly graceMs?: number }>({ graceMs: true });

const HELD_OPEN_MS = 2 ** 30;
