import { optionInvalid, requireInteger, requireMs, requirePositiveMs } from '../../core/errors.ts';
import { knownNames, requireKnown, requireOptions } from '../../core/options.ts';
import type { AnyTask } from '../../core/task.ts';
import { hasHandler, isTask } from '../../core/task.ts';
import type { RunnerOptions } from '../../engine/runner.ts';
import { requireTuner, type TemporalTuner } from './tuner.ts';

/** What `temporalWorker` takes; the names of Temporal's SDK where it has one for the same thing. */
export interface TemporalWorkerOptions extends LaneOptions {
  readonly taskQueue: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** Where the server is, or a `NativeConnection` of the SDK, which stays open when the worker stops. Default: localhost:7233. */
  readonly connection?: TemporalConnection | object;
  /** Activities by their names: tasks of `defineTask`. */
  readonly activities?: Readonly<Record<string, AnyTask>>;
  /** File whose exports are the workflows; the SDK bundles it at the start. Without workflows only activities are polled for. */
  readonly workflowsPath?: string;
  /** A bundle that the SDK made before: `{ codePath }` or `{ code }`. */
  readonly workflowBundle?: object;
  /** How many slots there are, and who decides; default: Longshore's tuner with its defaults. */
  readonly tuner?: TemporalTuner;
  /** Polls for workflow tasks that wait at a time; default 100. */
  readonly maxConcurrentWorkflowTaskPolls?: number;
  /** Polls for activities that wait at a time; default 100. */
  readonly maxConcurrentActivityTaskPolls?: number;
  /** Share of the workflow polls that take new workflows rather than those in the cache, 0 to 1; default 0.5. */
  readonly nonStickyToStickyPollRatio?: number;
  /** Name of this worker at the server; default: the process and the host. */
  readonly identity?: string;
  /**
   * The longest time between two heartbeats of a running activity, which bring its cancellation; default 1 s. One with a heartbeat
   * timeout beats at least three times in it.
   */
  readonly heartbeatMs?: number;
  /** Longest pause between two tries to connect; default 30 s. They begin at 250 ms and double. */
  readonly retryMaxMs?: number;
  /** More options for the SDK's `Worker.create`: `dataConverter`, `interceptors`, `sinks` … Those of this list win. */
  readonly sdk?: object;
}

/** As a worker's, where they concern lanes. */
export type LaneOptions = Pick<
  RunnerOptions,
  | 'graceMs'
  | 'abortGraceMs'
  | 'strategy'
  | 'threads'
  | 'processes'
  | 'jobsPerHost'
  | 'recycleJobs'
  | 'recycleBytes'
  | 'heapBytesMax'
  | 'blockedMs'
  | 'printTo'
  | 'logger'
  | 'tracing'
  | 'sensor'
>;

/** Where a server is. */
export interface TemporalConnection {
  /** `host:port`; default `localhost:7233`. */
  readonly address?: string;
  /** True for TLS, or what it needs; default: TLS where there is an API key, otherwise none. */
  readonly tls?: boolean | TemporalTls | null;
  readonly apiKey?: string;
  /** gRPC metadata of every request. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** PEM. */
export interface TemporalTls {
  readonly serverNameOverride?: string;
  readonly serverRootCACertificate?: Uint8Array;
  readonly clientCertPair?: { readonly crt: Uint8Array; readonly key: Uint8Array };
}

const LANE_OPTIONS = knownNames<LaneOptions>({
  graceMs: true,
  abortGraceMs: true,
  strategy: true,
  threads: true,
  processes: true,
  jobsPerHost: true,
  recycleJobs: true,
  recycleBytes: true,
  heapBytesMax: true,
  blockedMs: true,
  printTo: true,
  logger: true,
  tracing: true,
  sensor: true,
});

const OWN_OPTIONS = knownNames<Omit<TemporalWorkerOptions, keyof LaneOptions>>({
  taskQueue: true,
  namespace: true,
  connection: true,
  activities: true,
  workflowsPath: true,
  workflowBundle: true,
  tuner: true,
  maxConcurrentWorkflowTaskPolls: true,
  maxConcurrentActivityTaskPolls: true,
  nonStickyToStickyPollRatio: true,
  identity: true,
  heartbeatMs: true,
  retryMaxMs: true,
  sdk: true,
});

const CONNECTION_OPTIONS = knownNames<TemporalConnection>({
  address: true,
  tls: true,
  apiKey: true,
  metadata: true,
});

/** The options with their defaults. */
export interface TemporalSettings {
  readonly taskQueue: string;
  readonly namespace: string;
  readonly connection: TemporalConnection | object;
  readonly activities: ReadonlyMap<string, AnyTask>;
  readonly tuner: TemporalTuner;
  readonly workflowPolls: number;
  readonly activityPolls: number;
  readonly nonStickyRatio: number;
  readonly heartbeatMs: number;
  readonly retryMaxMs: number;
  readonly lanes: LaneOptions;
}

/** Throws OPTION_INVALID, TASK_INVALID. */
export function temporalSettings(options: TemporalWorkerOptions): TemporalSettings {
  requireOptions('temporalWorker', options, new Set([...OWN_OPTIONS, ...LANE_OPTIONS]));
  const { workflowsPath, workflowBundle, connection = {} } = options;
  const activities = activitiesOf(options.activities);
  if (activities.size === 0 && workflowsPath === undefined && workflowBundle === undefined)
    throw optionInvalid(
      'activities',
      options.activities,
      'at least one task, unless there is a workflowsPath',
    );
  if (!isConnected(connection)) requireConnection(connection);
  const ratio = options.nonStickyToStickyPollRatio ?? 0.5;
  if (typeof ratio !== 'number' || !(ratio >= 0 && ratio <= 1))
    throw optionInvalid('nonStickyToStickyPollRatio', ratio, 'a share from 0 to 1');
  return {
    taskQueue: requireText('taskQueue', options.taskQueue),
    namespace: requireText('namespace', options.namespace ?? 'default'),
    connection,
    activities,
    tuner: requireTuner(options.tuner ?? { kind: 'longshore' }),
    workflowPolls: polls('maxConcurrentWorkflowTaskPolls', options.maxConcurrentWorkflowTaskPolls),
    activityPolls: polls('maxConcurrentActivityTaskPolls', options.maxConcurrentActivityTaskPolls),
    nonStickyRatio: ratio,
    heartbeatMs: requirePositiveMs('heartbeatMs', options.heartbeatMs ?? 1_000),
    retryMaxMs: requireMs('retryMaxMs', options.retryMaxMs ?? 30_000),
    lanes: Object.fromEntries(Object.entries(options).filter(([name]) => LANE_OPTIONS.has(name))),
  };
}

const POLLS_DEFAULT = 100;

function polls(field: string, given: unknown): number {
  return requireInteger(field, given ?? POLLS_DEFAULT, 1, 10_000);
}

function requireText(field: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw optionInvalid(field, value, "a text, such as 'orders'");
}

function activitiesOf(given: unknown): Map<string, AnyTask> {
  if (given === undefined) return new Map();
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw optionInvalid('activities', given, 'an object of tasks by the names of activities: { echo }');
  for (const [name, task] of Object.entries(given))
    if (!isTask(task) || !hasHandler(task))
      throw optionInvalid(`activities.${name}`, task, 'what defineTask() returns');
  return new Map(Object.entries(given));
}

/** A `NativeConnection` of the SDK, of whichever copy of it. */
export function isConnected(connection: object): boolean {
  return 'workflowService' in connection;
}

/** Throws OPTION_INVALID. */
export function requireConnection(connection: TemporalConnection): void {
  requireKnown('connection', connection, CONNECTION_OPTIONS);
  const { address = 'localhost:7233', apiKey } = connection;
  if (typeof address !== 'string' || !ADDRESS.test(address))
    throw optionInvalid(
      'connection.address',
      address,
      "host:port without a scheme, such as 'localhost:7233'",
    );
  if (apiKey !== undefined && (typeof apiKey !== 'string' || apiKey === ''))
    throw optionInvalid('connection.apiKey', '(not shown)', 'a text');
}

const ADDRESS = /^(?:[\w.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i;
