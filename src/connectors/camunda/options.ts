import type { Clock } from '../../core/clock.ts';
import {
  optionInvalid,
  requireInteger,
  requireMs,
  requireName,
  requirePositiveMs,
} from '../../core/errors.ts';
import { knownNames, requireOptions } from '../../core/options.ts';
import type { AnyTask } from '../../core/task.ts';
import type { TlsFiles } from '../../engine/keeper.ts';
import type { RunnerOptions, RunnerSettings } from '../../engine/runner.ts';
import { defined } from '../environment.ts';
import {
  RUNNER_OPTIONS,
  requireAddress,
  requireHeaders,
  requireLock,
  requireNames,
  requireServed,
  requireTls,
  runnerOptions,
  type Served,
} from '../http/options.ts';
import { type Auth, requireAuth } from './auth.ts';
import { namingVariable, optionsFrom } from './environment.ts';
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
  /** Authority, certificate and key, as PEM texts, for a cluster behind TLS; default: Node's own authorities. CAMUNDA_MTLS_CA, CAMUNDA_MTLS_CERT … */
  readonly tls?: TlsFiles;
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

/** Settings of a job type. */
export type JobType = Served<CamundaJob>;

/** After environment, defaults and checks. */
export interface Checked {
  readonly url: string;
  readonly jobTypes: ReadonlyMap<string, JobType & { readonly lockMs: number }>;
  readonly auth: Auth | null;
  readonly tls: TlsFiles | null;
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

const OPTIONS = knownNames<CamundaOptions>({
  url: true,
  jobTypes: true,
  auth: true,
  tls: true,
  headers: true,
  name: true,
  lockMs: true,
  pollMs: true,
  requestTimeoutMs: true,
  reportsMax: true,
  startupJitterMs: true,
  tenantIds: true,
  leases: true,
  clock: true,
  ...RUNNER_OPTIONS,
});

const JOB_TYPE = knownNames<JobType>({ task: true, lockMs: true, variables: true, input: true, into: true });

const POLL_MAX_MS = 1_800_000;

/** Throws OPTION_INVALID, TASK_INVALID; names the variable where the value came from one. */
export function checkedOptions(given: CamundaOptions, env: NodeJS.ProcessEnv = process.env): Checked {
  requireOptions('camundaWorker', given, OPTIONS);
  const found = optionsFrom(env);
  const options = { ...found, ...defined(given) } as CamundaOptions;
  try {
    return checked(options);
  } catch (error) {
    throw namingVariable(error, (field) => field in found && given[field] === undefined);
  }
}

function checked(options: CamundaOptions): Checked {
  const { lockMs = 30_000, pollMs = 5_000, requestTimeoutMs = 10_000, reportsMax = 32 } = options;
  const { startupJitterMs = 0, tenantIds, leases = false } = options;
  requireLock('lockMs', lockMs);
  requireInteger('pollMs', pollMs, Number.MIN_SAFE_INTEGER, POLL_MAX_MS);
  if (typeof leases !== 'boolean') throw optionInvalid('leases', leases, 'true or false');
  requireSome('tenantIds', tenantIds);
  return {
    url: apiAddress(options.url ?? 'http://localhost:8080'),
    jobTypes: requireServed<JobType>('jobTypes', options.jobTypes, lockMs, {
      noun: 'job type',
      gives: 'job',
      example: "{ 'charge-card': chargeCard }",
      known: JOB_TYPE,
      check: (field, { variables }) => requireSome(`${field}.variables`, variables),
    }),
    auth: options.auth === undefined ? null : requireAuth(options.auth),
    tls: requireTls(options.tls),
    headers: requireHeaders(options.headers ?? {}),
    name: options.name === undefined ? null : requireName('name', options.name, 255),
    pollMs,
    requestTimeoutMs: requirePositiveMs('requestTimeoutMs', requestTimeoutMs),
    reportsMax: requireInteger('reportsMax', reportsMax, 1, 1_000),
    startupJitterMs: requireMs('startupJitterMs', startupJitterMs),
    tenantIds: tenantIds === undefined ? null : requireNames('tenantIds', tenantIds),
    leases,
    runner: { ...runnerOptions(options), ...defined({ clock: options.clock }) },
  };
}

/** The cluster takes an empty list for none. */
function requireSome(field: string, names: readonly string[] | undefined): void {
  if (names?.length === 0) throw optionInvalid(field, names, 'a list of at least one name');
}

/** With `/v2` at its end. Throws OPTION_INVALID. */
export function apiAddress(given: unknown): string {
  const base = requireAddress(given, {
    expected:
      "the address of the cluster's REST API, such as http://localhost:8080 (or CAMUNDA_REST_ADDRESS)",
    credentials: 'CAMUNDA_BASIC_AUTH_USERNAME and CAMUNDA_BASIC_AUTH_PASSWORD',
  });
  return base.endsWith('/v2') ? base : `${base}/v2`;
}
