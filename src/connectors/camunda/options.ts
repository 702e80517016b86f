import type { Clock } from '../../core/clock.ts';
import {
  optionInvalid,
  requireInteger,
  requireMs,
  requireName,
  requirePositiveMs,
} from '../../core/errors.ts';
import { isPlainObject, knownNames, requireKnown, requireOptions } from '../../core/options.ts';
import { type AnyTask, hasHandler, isTask } from '../../core/task.ts';
import type { RunnerOptions, RunnerSettings } from '../../engine/runner.ts';
import { type Auth, requireAuth } from './auth.ts';
import { fromEnvironment, namingVariable } from './environment.ts';
import type { CamundaJob } from './job.ts';

/** What `camundaWorker` takes. It wins over the variables of the environment, which have the names of Camunda's SDK, and those over the defaults. */
export interface CamundaOptions
  extends Partial<RunnerSettings>,
    Pick<RunnerOptions, 'payloadBytesMax' | 'logger' | 'tracing' | 'sensor'> {
  /** Of the cluster's REST API, without or with `/v2`; default `http://localhost:8080`. CAMUNDA_REST_ADDRESS */
  readonly url?: string | URL;
  /** By job types: the task that runs their jobs, or that with settings of the type. */
  readonly jobTypes: Readonly<Record<string, AnyTask | JobType>>;
  /** Default: nobody. CAMUNDA_AUTH_STRATEGY with CAMUNDA_CLIENT_ID … or CAMUNDA_BASIC_AUTH_USERNAME … */
  readonly auth?: Auth;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the cluster shows as the worker of a job; default: the host's name and process. CAMUNDA_WORKER_NAME */
  readonly name?: string;
  /** How long the cluster keeps a job for this worker without hearing of it; locks are extended every third of it, from a thread; default 30 s. CAMUNDA_WORKER_TIMEOUT */
  readonly lockMs?: number;
  /** Jobs at the same time, of all types; default 10. CAMUNDA_WORKER_MAX_CONCURRENT_JOBS */
  readonly concurrency?: number;
  /**
   * How long a poll waits at the cluster for jobs to come; default 5 s; 0: as long as the cluster likes; negative: not at all, and
   * the worker asks once a second. A stop waits for it as well: jobs that go into a poll whose worker has gone are locked for
   * `lockMs`. CAMUNDA_WORKER_REQUEST_TIMEOUT
   */
  readonly pollMs?: number;
  /** Longest wait for the answer to a request; default 10 s, which comes on top of `pollMs`. */
  readonly requestTimeoutMs?: number;
  /** Most completions and failures that are told to the cluster at the same time; default 32. */
  readonly reportsMax?: number;
  /** Waits a random part of this before the first poll; default 0. CAMUNDA_WORKER_STARTUP_JITTER_MAX_SECONDS */
  readonly startupJitterMs?: number;
  /** Jobs of these tenants; default: the cluster's own choice. CAMUNDA_DEFAULT_TENANT_ID */
  readonly tenantIds?: readonly string[];
  /** Asks for lease tokens, by which the cluster refuses commands of a worker that lost its lock; from Camunda 8.10; default false. */
  readonly leases?: boolean;
  /** For tests; default: the machine's. */
  readonly clock?: Clock;
}

export interface JobType {
  readonly task: AnyTask;
  /** Default: the worker's. */
  readonly lockMs?: number;
  /** Names of the variables that are fetched; default: all that the job can see. */
  readonly variables?: readonly string[];
  /** The input of the task; default: the variables of the job by their names. Runs in this thread, so keep it short. */
  readonly input?: (job: CamundaJob) => unknown;
  /** Name of a variable for the result as a whole; default: each member of an object is a variable, any other value becomes `result`. */
  readonly into?: string;
}

/** After environment, defaults and checks. */
export interface Checked {
  readonly url: string;
  readonly jobTypes: ReadonlyMap<string, JobType & { readonly lockMs: number }>;
  readonly auth: Auth | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: that of the runner. */
  readonly name: string | null;
  readonly pollMs: number;
  readonly requestTimeoutMs: number;
  readonly reportsMax: number;
  readonly startupJitterMs: number;
  readonly tenantIds: readonly string[] | null;
  readonly leases: boolean;
  /** Of the runner. */
  readonly runner: Omit<RunnerOptions, 'engine' | 'tasks'>;
}

const RUNNERS = {
  concurrency: true,
  tuner: true,
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
  payloadBytesMax: true,
  logger: true,
  tracing: true,
  sensor: true,
  clock: true,
} as const;

const OPTIONS = knownNames<CamundaOptions>({
  url: true,
  jobTypes: true,
  auth: true,
  headers: true,
  name: true,
  lockMs: true,
  pollMs: true,
  requestTimeoutMs: true,
  reportsMax: true,
  startupJitterMs: true,
  tenantIds: true,
  leases: true,
  ...RUNNERS,
});

const JOB_TYPE = knownNames<JobType>({ task: true, lockMs: true, variables: true, input: true, into: true });

/** A lock shorter than this cannot be extended in time on a busy machine. */
const LOCK_MIN_MS = 500;
const POLL_MAX_MS = 1_800_000;

/** Throws OPTION_INVALID, TASK_INVALID; names the variable where the value came from one. */
export function checkedOptions(given: CamundaOptions, env: NodeJS.ProcessEnv = process.env): Checked {
  requireOptions('camundaWorker', given, OPTIONS);
  const found = fromEnvironment(env);
  const options: CamundaOptions = { ...found, ...defined(given) };
  try {
    return checked(options);
  } catch (error) {
    throw namingVariable(error, (field) => field in found && given[field] === undefined);
  }
}

function checked(options: CamundaOptions): Checked {
  const {
    lockMs = 30_000,
    pollMs = 5_000,
    requestTimeoutMs = 10_000,
    reportsMax = 32,
    headers = {},
  } = options;
  const { startupJitterMs = 0, tenantIds = null, leases = false } = options;
  requireLock('lockMs', lockMs);
  requireInteger('pollMs', pollMs, Number.MIN_SAFE_INTEGER, POLL_MAX_MS);
  if (typeof leases !== 'boolean') throw optionInvalid('leases', leases, 'true or false');
  if (tenantIds !== null) requireNames('tenantIds', tenantIds);
  if (!isPlainObject(headers)) throw optionInvalid('headers', headers, 'texts by the names of headers');
  return {
    url: apiAddress(options.url ?? 'http://localhost:8080'),
    jobTypes: requireJobTypes(options.jobTypes, lockMs),
    auth: options.auth === undefined ? null : requireAuth(options.auth),
    headers,
    name: options.name === undefined ? null : requireName('name', options.name, 255),
    pollMs,
    requestTimeoutMs: requirePositiveMs('requestTimeoutMs', requestTimeoutMs),
    reportsMax: requireInteger('reportsMax', reportsMax, 1, 1_000),
    startupJitterMs: requireMs('startupJitterMs', startupJitterMs),
    tenantIds,
    leases,
    runner: Object.fromEntries(Object.entries(options).filter(([name]) => name in RUNNERS)),
  };
}

/** With `/v2` at its end. Throws OPTION_INVALID. */
export function apiAddress(given: unknown): string {
  const expected =
    "the address of the cluster's REST API, such as http://localhost:8080 (or CAMUNDA_REST_ADDRESS)";
  const url = URL.canParse(String(given)) ? new URL(String(given)) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw optionInvalid('url', given, expected);
  if (url.username !== '' || url.password !== '')
    throw optionInvalid(
      'url',
      `${url.origin}${url.pathname}`,
      'an address without a user name and password; give them as `auth`, or as CAMUNDA_BASIC_AUTH_USERNAME and CAMUNDA_BASIC_AUTH_PASSWORD',
    );
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  return base.endsWith('/v2') ? base : `${base}/v2`;
}

function requireJobTypes(jobTypes: unknown, lockMs: number): Checked['jobTypes'] {
  const expected = "at least one task by the job type of its service task: { 'charge-card': chargeCard }";
  if (!isPlainObject(jobTypes) || Object.keys(jobTypes).length === 0)
    throw optionInvalid('jobTypes', jobTypes, expected);
  return new Map(
    Object.entries(jobTypes).map(([name, value]) => {
      requireName('the name of a job type', name, 255);
      const type = isTask(value) ? { task: value as AnyTask } : requireJobType(`jobTypes.${name}`, value);
      if (!hasHandler(type.task))
        throw optionInvalid(
          `jobTypes.${name}`,
          `the declaration of task '${(type.task as AnyTask).name}'`,
          'a task with a handler, made by defineTask or implementTask',
        );
      return [name, { ...type, lockMs: type.lockMs ?? lockMs }];
    }),
  );
}

function requireJobType(field: string, value: unknown): JobType {
  if (!isPlainObject(value) || !isTask(value.task))
    throw optionInvalid(field, value, 'a task, or { task, … } with settings of the job type');
  requireKnown(field, value, JOB_TYPE);
  const type = value as unknown as JobType;
  if (type.lockMs !== undefined) requireLock(`${field}.lockMs`, type.lockMs);
  if (type.variables !== undefined) requireNames(`${field}.variables`, type.variables);
  if (type.input !== undefined && typeof type.input !== 'function')
    throw optionInvalid(`${field}.input`, type.input, 'a function (job) => input');
  if (type.into !== undefined) requireName(`${field}.into`, type.into);
  return type;
}

function requireLock(field: string, lockMs: unknown): void {
  if (requireMs(field, lockMs) < LOCK_MIN_MS)
    throw optionInvalid(field, lockMs, `at least ${LOCK_MIN_MS} milliseconds`);
  requireInteger(field, lockMs, LOCK_MIN_MS);
}

function requireNames(field: string, names: unknown): void {
  if (!Array.isArray(names) || names.length === 0)
    throw optionInvalid(field, names, 'a list of at least one name');
  for (const [index, name] of names.entries()) requireName(`${field}[${index}]`, name);
}

function defined(options: CamundaOptions): CamundaOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as CamundaOptions;
}
