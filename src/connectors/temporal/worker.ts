import { stripVTControlCharacters } from 'node:util';
import { bundleWorkflowCode, Worker, type WorkerOptions } from '@temporalio/worker';
import { LongshoreError, requireMs } from '../../core/errors.ts';
import { isError, reasonOf } from '../../core/legible.ts';
import { createRunner, type Runner } from '../../engine/runner.ts';
import type { EventListener, EventName } from '../../telemetry/events.ts';
import { Backoff } from '../backoff.ts';
import { activityFunctions } from './activities.ts';
import { type Link, openLink, pause } from './link.ts';
import { type TemporalSettings, type TemporalWorkerOptions, temporalSettings } from './options.ts';
import { type Reports, reportsTo } from './reports.ts';
import { type PollPermits, pollPermits } from './slots.ts';
import { connectionTrouble } from './trouble.ts';
import { runnerSlots } from './tuner.ts';

type Bundle = Pick<WorkerOptions, 'workflowBundle'>;

/** How long the server may be silent before that is told. */
const ASK_EVERY_MS = 5_000;
const FIRST_RETRY_MS = 250;
/** What the SDK gets beyond both graces, to tell the server how everything ended. */
const LAST_WORDS_MS = 10_000;
/** The runner decides how long activities get; the SDK is not to stop them before. */
const SDK_GRACE_MS = 2 ** 31 - 1;

/**
 * A worker of Temporal whose activities are tasks. Made by `temporalWorker`.
 * It keeps one `Worker` of the SDK alive: connects for as long as it takes, and makes a new one where that ended by itself.
 */
export class TemporalWorker {
  readonly #options: TemporalWorkerOptions;
  readonly #settings: TemporalSettings;
  readonly #runner: Runner;
  readonly #reports: Reports;
  readonly #pauses: Backoff;
  readonly #stopping = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #sdk: Worker | null = null;
  #permits: PollPermits | null = null;
  #connected = false;
  #kept: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: TemporalWorkerOptions) {
    this.#settings = temporalSettings(options);
    this.#options = options;
    const { activities, tuner, lanes } = this.#settings;
    this.#runner = createRunner({
      ...lanes,
      ...runnerSlots(tuner),
      engine: 'temporal',
      tasks: [...new Set(activities.values())],
      payloadBytesMax: PAYLOAD_BYTES_MAX,
    });
    this.#reports = reportsTo(options.logger, this.#settings);
    this.#pauses = new Backoff(this.#settings.retryMaxMs, FIRST_RETRY_MS);
    this.#first.promise.catch(() => undefined);
  }

  get runner(): Runner {
    return this.#runner;
  }

  /** Whether it polls, and the server answered when it was asked last. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Permits for polls and tasks that are out, with Longshore's tuner; the SDK's own metrics tell of the others. */
  permits(): ReturnType<PollPermits['counts']> | null {
    return this.#permits?.counts() ?? null;
  }

  /** Calls `listener` for every event of that name: those of a worker, `job.completed` … Throws OPTION_INVALID. */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    return this.#runner.on(name, listener);
  }

  /**
   * Resolves when it polls; as long as the server cannot be reached it says so and tries again, for ever. Idempotent.
   * Rejects with OPTION_INVALID, with WORKER_STOPPING when it is stopped before, and with what bundling the workflows throws.
   */
  start(): Promise<void> {
    if (this.#stopped !== null) return Promise.reject(stopping());
    this.#kept ??= this.#keep().then(
      () => this.#first.reject(stopping()),
      (error) => this.#first.reject(error),
    );
    return this.#first.promise;
  }

  /** Resolves when it polls no more: `stop` was called, or the SDK heard a signal. Rejects as `start`, which it calls. */
  async ended(): Promise<void> {
    await this.start();
    await this.#kept;
  }

  /** Until it is stopped: `start`, `ended`, and what is left of `stop`. */
  async run(): Promise<void> {
    const passing = (error: unknown) => (isStopping(error) ? undefined : Promise.reject(error));
    await this.ended()
      .catch(passing)
      .finally(() => this.stop());
  }

  /**
   * Takes no more tasks; running activities get `graceMs` (default: the setting, 10 s), then their signals abort, and after the abort
   * grace they are given up. Those that did not end are failed as retryable, so that another worker has them at once. Idempotent.
   */
  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    if (options.graceMs !== undefined) requireMs('graceMs', options.graceMs);
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  async #stop(options: { readonly graceMs?: number }): Promise<void> {
    this.#stopping.abort(stopping());
    if (this.#sdk?.getState() === 'RUNNING') this.#sdk.shutdown();
    await this.#runner.stop(options);
    const late = new AbortController();
    const patience = pause(LAST_WORDS_MS, late.signal).then(
      () => late.signal.aborted || this.#reports.stuck(),
    );
    await Promise.race([this.#kept, patience]);
    late.abort();
  }

  /** The workflows are bundled while the connection is made; a fault in them ends the worker, one of the connection never does. */
  async #keep(): Promise<void> {
    await this.#runner.start();
    const bundle = this.#bundle();
    const fault = bundle.then(() => new Promise<never>(() => undefined));
    try {
      await Promise.race([this.#connectForEver(bundle), fault]);
    } catch (error) {
      this.#stopping.abort(error);
      throw error;
    }
  }

  async #connectForEver(bundle: Promise<Bundle>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const trouble = await this.#once(bundle);
      this.#connected = false;
      if (trouble === null || signal.aborted) return;
      if (trouble.code === 'OPTION_INVALID') throw trouble;
      const ms = this.#pauses.next();
      this.#reports.trouble(trouble, ms);
      await pause(ms, signal);
    }
  }

  /** Once for all workers of the SDK that are made one after the other. */
  async #bundle(): Promise<Bundle> {
    const { workflowsPath, workflowBundle } = this.#options;
    if (workflowBundle !== undefined)
      return { workflowBundle: workflowBundle as NonNullable<WorkerOptions['workflowBundle']> };
    if (workflowsPath === undefined) return {};
    const said: string[] = [];
    const logger = { ...QUIET, error: (text: string) => void said.push(text) };
    try {
      return { workflowBundle: await bundleWorkflowCode({ workflowsPath, logger }) };
    } catch (error) {
      const why = errorLines(said) ?? reasonOf(error);
      const message = `workflowsPath ${JSON.stringify(workflowsPath)} cannot be bundled: ${why}`;
      throw new LongshoreError('OPTION_INVALID', message, {
        cause: error,
        details: { field: 'workflowsPath' },
      });
    }
  }

  /** One worker of the SDK, from its connection to its end. Null when it ended in order. */
  async #once(bundle: Promise<Bundle>): Promise<LongshoreError | null> {
    let link: Link | null = null;
    try {
      link = await openLink(this.#settings);
      this.#permits = pollPermits(this.#settings.tuner, this.#runner);
      this.#sdk = await Worker.create(this.#sdkOptions(link, await bundle));
      if (this.#stopping.signal.aborted) return null;
      await this.#poll(this.#sdk, link);
      return null;
    } catch (error) {
      if (error instanceof LongshoreError) return error;
      if (isError(error) && error.name === 'TypeError') throw badOption(error);
      return connectionTrouble(error, this.#settings, link?.address ?? '');
    } finally {
      this.#permits?.close();
      this.#sdk = null;
      await link?.close().catch(() => undefined);
    }
  }

  async #poll(sdk: Worker, link: Link): Promise<void> {
    const running = sdk.run();
    this.#connected = true;
    this.#pauses.reset();
    this.#reports.started(link.address);
    this.#first.resolve();
    const ended = new AbortController();
    const watching = this.#watch(link, ended.signal);
    try {
      await running;
    } finally {
      ended.abort();
      await watching;
    }
  }

  /** The SDK goes on polling by itself; that nobody answers, it tells in its own log alone. */
  async #watch(link: Link, ended: AbortSignal): Promise<void> {
    const pauses = new Backoff(this.#settings.retryMaxMs, FIRST_RETRY_MS);
    let nextMs = ASK_EVERY_MS;
    while (!ended.aborted) {
      await pause(nextMs, ended);
      if (ended.aborted || this.#stopping.signal.aborted) return;
      try {
        await link.ask();
        if (!this.#connected) this.#reports.back(link.address);
        this.#connected = true;
        pauses.reset();
        nextMs = ASK_EVERY_MS;
      } catch (error) {
        if (ended.aborted) return;
        this.#connected = false;
        nextMs = pauses.next();
        this.#reports.trouble(connectionTrouble(error, this.#settings, link.address), nextMs);
      }
    }
  }

  #sdkOptions(link: Link, bundle: Bundle): WorkerOptions {
    const { taskQueue, namespace, activities, workflowPolls, activityPolls, nonStickyRatio, heartbeatMs } =
      this.#settings;
    const permits = this.#permits as PollPermits;
    const { began, ended } = permits;
    const onUnknown = (failure: Error): void => this.#reports.unknown(failure);
    const runner = this.#runner;
    const { identity, sdk = {} } = this.#options;
    return {
      ...sdk,
      connection: link.connection,
      namespace,
      taskQueue,
      ...bundle,
      ...(activities.size === 0
        ? {}
        : { activities: activityFunctions(activities, { runner, heartbeatMs, began, ended, onUnknown }) }),
      tuner: permits.tuner,
      maxConcurrentWorkflowTaskPolls: workflowPolls,
      maxConcurrentActivityTaskPolls: activityPolls,
      nonStickyToStickyPollRatio: nonStickyRatio,
      maxHeartbeatThrottleInterval: heartbeatMs,
      defaultHeartbeatThrottleInterval: heartbeatMs,
      shutdownGraceTime: SDK_GRACE_MS,
      ...(identity === undefined ? {} : { identity }),
    };
  }
}

/** What a server of Temporal takes at most in one payload; more is refused here, with the size. */
const PAYLOAD_BYTES_MAX = 2 * 1_048_576;

/** The first fault that the bundler found, of the long text it prints. */
function errorLines(said: readonly string[]): string | null {
  const lines = stripVTControlCharacters(said.join('\n'))
    .split('\n')
    .map((line) => line.trim());
  const first = lines.findIndex((line) => line.startsWith('ERROR in'));
  return first < 0
    ? null
    : lines
        .slice(first, first + 3)
        .join(' ')
        .slice(0, REASON_CHARS_MAX);
}

const REASON_CHARS_MAX = 500;

const none = (): void => undefined;
/** What the bundler says while it works is not for the log of a worker. */
const QUIET = { log: none, trace: none, debug: none, info: none, warn: none, error: none };

function stopping(): LongshoreError {
  return new LongshoreError('WORKER_STOPPING', 'The worker is being stopped.');
}

function isStopping(error: unknown): boolean {
  return error instanceof LongshoreError && error.code === 'WORKER_STOPPING';
}

/** The SDK throws a TypeError for options of its own that it does not take. */
function badOption(error: Error): LongshoreError {
  return new LongshoreError('OPTION_INVALID', `Temporal's SDK does not take the options: ${error.message}`, {
    cause: error,
  });
}
