import { hostname } from 'node:os';
import { type EncryptionOptions, keyRingCipher, noKeys } from './cipher.ts';
import type { Clock } from './core/clock.ts';
import { optionInvalid, requireInteger } from './core/errors.ts';
import { knownNames, requireKnown } from './core/options.ts';
import { PAYLOAD_BYTES_MAX_DEFAULT, PayloadCodec } from './core/payload.ts';
import type { AnyDeclaration } from './core/task.ts';
import type { Tracing } from './core/tracing.ts';
import { Flows } from './flow/flows.ts';
import { JobStepsRule } from './flow/job-steps-rule.ts';
import { jobsOfRun as listJobsOfRun } from './flow/run-jobs.ts';
import { type Trace, traceOf } from './flow/trace.ts';
import {
  HEALTH_OPTIONS,
  HEALTH_TIMEOUT_MS_DEFAULT,
  type Health,
  type HealthOptions,
  healthOf,
} from './health.ts';
import { type HttpHandler, type HttpOptions, httpSettings, type RequestFacts } from './http/options.ts';
import { logFor } from './log-for.ts';
import { AuditLog } from './queue/audit-log.ts';
import { Client } from './queue/client.ts';
import type { EnqueueArguments, EnqueueOptions, InputOf, ResultOf } from './queue/enqueue.ts';
import type { ListenOptions } from './queue/far-events.ts';
import type { JobHandle } from './queue/job-handle.ts';
import type { Jobs, JobsMeans } from './queue/jobs.ts';
import type { Queues } from './queue/queues.ts';
import { Schedules } from './schedule/schedules.ts';
import { instrument } from './store/instrument.ts';
import type { Store, WorkerRecord } from './store/store.ts';
import { storeDriver } from './store-driver.ts';
import { systemClock } from './system-clock.ts';
import { EventBus, type EventListener, type EventName } from './telemetry/events.ts';
import type { Logger } from './telemetry/log.ts';
import type { Sensor } from './tuner/sensor.ts';
import { VERSION } from './version.ts';
import type { WorkerOptions } from './worker/options.ts';
import type { LiveWorker } from './worker/parts.ts';
import { SETTINGS, type WorkerSettings } from './worker/settings.ts';
import type { WorkerGauges } from './worker/trouble.ts';
import { Worker } from './worker/worker.ts';

/**
 * The composition root: opens the store that a URL names (store-driver.ts), and assembles the client's side and the workers'
 * side on it.
 */
export interface ConnectOptions {
  /** Largest encoded input, result, progress or log datum, in bytes; default 1 MiB. */
  readonly payloadBytesMax?: number;
  /** Encrypts payloads at rest; off by default. */
  readonly encryption?: EncryptionOptions;
  /** Settings of workers from a config file: weaker than what `worker()` is given, stronger than the environment. */
  readonly workerSettings?: Partial<WorkerSettings>;
  /**
   * A pool of the store's own driver (`pg.Pool`) to borrow connections from; never closed here. The URL is needed all
   * the same: heartbeats and hints have connections of their own.
   */
  readonly client?: unknown;
  /**
   * Tells what happens on this connection: failures, retries, dead letters, what handlers `log`, trouble with the store. `true`
   * writes to standard error, short lines on a terminal and JSON elsewhere; a logger of yours takes `(facts, text)` as pino
   * does, at the levels it wants. Default: one line on standard error for a failed job that nobody hears of, and for
   * trouble with the store that does not pass by itself; `false`: nothing.
   */
  readonly logger?: boolean | Logger;
  /** What makes spans of jobs and runs: `await otelTracing()` of `longshore/otel`. Default: nothing is traced. */
  readonly tracing?: Tracing;
  /** For tests; default: the machine's. */
  readonly clock?: Clock;
  /** What the tuner of workers reads; for tests, default: control groups or the machine. */
  readonly sensor?: Sensor;
}

const CONNECT_OPTIONS = knownNames<ConnectOptions>({
  payloadBytesMax: true,
  encryption: true,
  workerSettings: true,
  client: true,
  logger: true,
  tracing: true,
  clock: true,
  sensor: true,
});

/**
 * Opens a store: `sqlite:jobs.db` (one file, no server; made if missing, its folder must exist) or `memory:`.
 * Throws STORE_URL_INVALID, STORE_UNAVAILABLE, STORE_READ_ONLY, STORE_CORRUPT, STORE_NEWER, OPTION_INVALID.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Longshore> {
  requireKnown('connect', options, CONNECT_OPTIONS);
  requireKnown('workerSettings', options.workerSettings, SETTINGS);
  const {
    client,
    clock,
    encryption,
    logger,
    workerSettings = {},
    payloadBytesMax = PAYLOAD_BYTES_MAX_DEFAULT,
  } = options;
  requireInteger('payloadBytesMax', payloadBytesMax, 1);
  if (clock !== undefined && typeof clock?.after !== 'function')
    throw optionInvalid('clock', clock, 'a Clock, such as the FakeClock of longshore/testing');
  const codec = new PayloadCodec(
    payloadBytesMax,
    encryption === undefined ? noKeys : keyRingCipher(encryption),
  );
  const log = await logFor(logger);
  const driver = await storeDriver(url);
  if (client !== undefined && driver.borrows !== true)
    throw optionInvalid('client', client, 'to be left out: only a postgres: store borrows a pool');
  const store = await driver.open(url, {
    ...(client === undefined ? {} : { client }),
    ...(clock === undefined ? {} : { clock }),
  });
  for (const warning of store.warnings ?? []) warnOnce(warning);
  const { sensor, tracing = null } = options;
  return new Longshore(store, { codec, workerSettings, clock: clock ?? systemClock, sensor, log, tracing });
}

/** Nobody listens to events yet when a store is opened, so Node's own way it is: printed unless the program catches it. */
function warnOnce(warning: string): void {
  if (warned.has(warning)) return;
  warned.add(warning);
  process.emitWarning(warning, 'LongshoreWarning');
}

const warned = new Set<string>();

/** What `connect` makes of its options. */
interface LongshoreParts {
  readonly codec: PayloadCodec;
  readonly workerSettings: Partial<WorkerSettings>;
  readonly clock: Clock;
  readonly sensor?: Sensor | undefined;
  readonly log?: (events: EventBus) => void;
  readonly tracing?: Tracing | null;
}

/** A connection to a store: enqueues, looks, acts, and makes workers. Get one from `connect`. */
export class Longshore {
  readonly jobs: Jobs;
  readonly queues: Queues;
  /** Runs of flows: start, look, act. */
  readonly flows: Flows;
  /** What starts jobs and runs at set times. */
  readonly schedules: Schedules;
  /** What people did by hand, in one list. */
  readonly audit: AuditLog;
  readonly #store: Store;
  readonly #client: Client;
  readonly #events = new EventBus();
  readonly #parts: LongshoreParts;
  readonly #live = new Set<LiveWorker>();
  readonly #handlers = new Set<() => void>();
  #closing: Promise<void> | null = null;

  constructor(store: Store, parts: LongshoreParts) {
    parts.log?.(this.#events);
    this.#parts = parts;
    const { codec, clock, tracing = null } = parts;
    const events = this.#events;
    const jobsOfRun: JobsMeans['jobsOfRun'] = (run, filter) =>
      listJobsOfRun(run, filter, { store: this.#store, definitions: this.flows.definitions });
    this.#client = new Client(instrument(store, events), { events, codec, clock, tracing, jobsOfRun });
    this.#store = this.#client.store;
    this.jobs = this.#client.jobs;
    this.queues = this.#client.queues;
    this.audit = new AuditLog(this.#store, clock);
    const means = { store: this.#store, events, codec, clock, tracing };
    this.flows = new Flows(means);
    this.flows.planner.add(new JobStepsRule(this.#store));
    this.schedules = new Schedules(means, this.flows);
  }

  /**
   * Adds a job. Resolves once it is durable. `task` may be a task's name when its code is elsewhere: then the input is not
   * checked here.
   */
  enqueue<T extends AnyDeclaration | string>(
    task: T,
    ...[input, options]: EnqueueArguments<T>
  ): Promise<JobHandle<ResultOf<T>>> {
    return this.#client.enqueue(task, input, options);
  }

  /**
   * Adds a job per input, in one batch that is written whole or not at all; only jobs whose unique key is held (mode
   * `reject`) are left out, and the UNIQUE_CONFLICT that is thrown then says which. `options` may differ by input.
   */
  enqueueMany<T extends AnyDeclaration | string>(
    task: T,
    inputs: readonly InputOf<T>[],
    options?: EnqueueOptions | ((input: InputOf<T>, index: number) => EnqueueOptions),
  ): Promise<JobHandle<ResultOf<T>>[]> {
    return this.#client.enqueueMany(task, inputs, options);
  }

  /** A worker for these tasks; it does nothing until started. Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE. */
  worker(options: WorkerOptions): Worker {
    const { codec, workerSettings, clock, sensor, tracing = null } = this.#parts;
    return new Worker(options, {
      store: this.#store,
      events: this.#events,
      clock,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      codec,
      tracing,
      planner: this.flows.planner,
      schedules: this.schedules,
      fileSettings: workerSettings,
      env: process.env,
      live: this.#live,
      sensor,
      random: Math.random,
    });
  }

  /** The registry: every worker of every process, dead ones included until they are forgotten. */
  workers(): Promise<WorkerRecord[]> {
    return this.#store.workers();
  }

  /**
   * Where the time of a job, a run, or all jobs of a correlation id went, from what the store keeps; null when there is none of that
   * id. Rejects with OPTION_INVALID.
   */
  trace(id: string): Promise<Trace | null> {
    const { codec, clock } = this.#parts;
    return traceOf(id, { store: this.#store, codec, clock, definitions: this.flows.definitions });
  }

  /** The workers of this connection that are started, in figures, without asking the store. */
  localWorkers(): WorkerGauges[] {
    return [...this.#live].map((worker) => worker.gauges());
  }

  /**
   * Whether the store answers, and whether the workers of this connection can do their work, as seen now. Resolves
   * also when nothing is well; for a readiness probe, answer 503 unless `ok`. Rejects with OPTION_INVALID.
   */
  async health(options: HealthOptions = {}): Promise<Health> {
    requireKnown('health', options, HEALTH_OPTIONS);
    const { timeoutMs = HEALTH_TIMEOUT_MS_DEFAULT } = options;
    requireInteger('timeoutMs', timeoutMs, 1);
    const workers = [...this.#live].map((worker) => worker.health());
    return healthOf(this.#store, workers, { timeoutMs, clock: this.#parts.clock });
  }

  /**
   * A handler of the HTTP API (docs/http.md), for servers that speak web-standard requests; `toNodeHandler` makes it
   * one for node:http. Closed unless opened: without tokens only this machine may ask. Throws OPTION_INVALID.
   */
  http(options: HttpOptions = {}): HttpHandler {
    const settings = httpSettings(options);
    let made: Promise<HttpHandler> | null = null;
    const handler = async (request: Request, facts?: RequestFacts): Promise<Response> => {
      made ??= import('./http/handler.ts').then(({ httpHandler }) =>
        httpHandler({ longshore: this, settings, clock: this.#parts.clock }),
      );
      return (await made)(request, facts);
    };
    const close = (): void => void made?.then((it) => it.close());
    this.#handlers.add(close);
    return Object.assign(handler, { close });
  }

  /**
   * Calls `listener` for every event of that name made by this connection, with `all: true` also by others; the returned function
   * stops it. Throws OPTION_INVALID.
   */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>, options?: ListenOptions): () => void {
    return this.#client.on(name, listener, options);
  }

  /** Stops this connection's workers gracefully and closes the store. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    for (const close of this.#handlers) close();
    await Promise.allSettled([...this.#live].map((worker) => worker.stop()));
    this.#client.close();
    this.flows.close();
    await this.#store.close();
  }
}
