import {
  optionInvalid,
  requireInteger,
  requireMs,
  requireName,
  requirePositiveMs,
} from '../../core/errors.ts';
import { knownNames, requireOptions } from '../../core/options.ts';
import type { Json } from '../../core/payload.ts';
import { type AnyTask, hasHandler, isTask } from '../../core/task.ts';
import type { RunnerOptions, RunnerSettings } from '../../engine/runner.ts';
import { type Auth, requireAuth } from './auth.ts';
import type { ExternalTask } from './external-task.ts';
import { VARIABLE_TYPES, type VariableType } from './variables.ts';

/** What `operatonWorker` takes. What stands here wins over OPERATON_* variables, those over the defaults. */
export interface OperatonOptions
  extends Partial<RunnerSettings>,
    Pick<RunnerOptions, 'payloadBytesMax' | 'logger' | 'tracing' | 'sensor'> {
  /** Of the engine's REST API: `http://localhost:8080/engine-rest`. OPERATON_URL */
  readonly url?: string | URL;
  /** By the names of topics: the task that runs their external tasks, or that with settings of the topic. */
  readonly topics: Readonly<Record<string, AnyTask | Topic>>;
  /** Default: nobody. OPERATON_USERNAME and OPERATON_PASSWORD, or OPERATON_TOKEN */
  readonly auth?: Auth;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Begins the worker's id at the engine, which ends in the process and a random part; default: `longshore`. OPERATON_WORKER_NAME */
  readonly name?: string;
  /** How long the engine keeps a task for this worker without hearing of it; locks are extended every third of it, from a thread; default 30 s. OPERATON_WORKER_LOCK_MS */
  readonly lockMs?: number;
  /**
   * How long a fetch waits at the engine for tasks to come; default 5 s. A stop waits for it as well: what a worker's last fetch
   * brings after it has gone would be locked for `lockMs`. OPERATON_WORKER_POLL_MS
   */
  readonly pollMs?: number;
  /** Longest wait for the answer to a request; default 30 s. OPERATON_WORKER_REQUEST_TIMEOUT_MS */
  readonly requestTimeoutMs?: number;
  /** Most completions and failures that are told to the engine at the same time; default 16. OPERATON_WORKER_REPORTS_MAX */
  readonly reportsMax?: number;
  /** Tasks of higher priority first; default true. */
  readonly usePriority?: boolean;
  /** Tasks of these tenants alone; default: all that the user may see. OPERATON_WORKER_TENANT_IDS, comma-separated */
  readonly tenantIds?: readonly string[];
}

export interface Topic {
  readonly task: AnyTask;
  /** Default: the worker's. */
  readonly lockMs?: number;
  /** Names of the variables that are fetched; default: all that the task can see. */
  readonly variables?: readonly string[];
  /** Only variables of the task itself; default false. */
  readonly localVariables?: boolean;
  /** The input of the task; default: its variables by their names. Runs in this thread, so keep it short. */
  readonly input?: (task: ExternalTask) => unknown;
  /** The types of variables that the result sets, where they are not those its values suggest. */
  readonly types?: Readonly<Record<string, VariableType>>;
  /** Name of a variable for the result as a whole; default: each member of an object is a variable, any other value becomes `result`. */
  readonly into?: string;
  /** Variables of the result belong to the `process` (default), or are `local` to the activity, for its output mapping. */
  readonly scope?: 'process' | 'local';
  readonly businessKey?: string;
  readonly processDefinitionKeys?: readonly string[];
  /** Tasks of processes whose variables have these values. */
  readonly processVariables?: Readonly<Record<string, Json>>;
  readonly tenantIds?: readonly string[];
  /** Only tasks that belong to no tenant; default false. */
  readonly withoutTenantId?: boolean;
  /** Fetches the extension properties that the model gives the task, for `input`; default false. */
  readonly extensionProperties?: boolean;
}

export type CheckedTopic = Topic & { readonly lockMs: number };

/** After defaults and checks. */
export interface Checked {
  readonly url: URL;
  readonly topics: ReadonlyMap<string, CheckedTopic>;
  readonly auth: Auth | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly name: string;
  readonly pollMs: number;
  readonly requestTimeoutMs: number;
  readonly reportsMax: number;
  readonly usePriority: boolean;
  readonly tenantIds: readonly string[] | null;
}

const OWN = {
  url: true,
  topics: true,
  auth: true,
  headers: true,
  name: true,
  lockMs: true,
  pollMs: true,
  requestTimeoutMs: true,
  reportsMax: true,
  usePriority: true,
  tenantIds: true,
} as const;

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
} as const;

const OPTIONS = knownNames<OperatonOptions>({ ...OWN, ...RUNNERS });

const TOPIC = knownNames<Topic>({
  task: true,
  lockMs: true,
  variables: true,
  localVariables: true,
  input: true,
  types: true,
  into: true,
  scope: true,
  businessKey: true,
  processDefinitionKeys: true,
  processVariables: true,
  tenantIds: true,
  withoutTenantId: true,
  extensionProperties: true,
});

/** A lock shorter than this cannot be extended in time on a busy machine. */
const LOCK_MIN_MS = 500;

/** The engine refuses longer polls. */
const POLL_MAX_MS = 1_800_000;

/** Throws OPTION_INVALID, TASK_INVALID. */
export function checkedOptions(options: OperatonOptions): Checked {
  requireOptions('operatonWorker', options, OPTIONS);
  const { lockMs = 30_000, pollMs = 5_000, requestTimeoutMs = 30_000, reportsMax = 16 } = options;
  requireLock('lockMs', lockMs);
  if (requireMs('pollMs', pollMs) > POLL_MAX_MS) throw optionInvalid('pollMs', pollMs, 'at most 30 minutes');
  const { tenantIds = null, headers = {}, usePriority = true } = options;
  if (tenantIds !== null) requireNames('tenantIds', tenantIds);
  return {
    url: requireUrl(options.url),
    topics: requireTopics(options.topics, lockMs),
    auth: options.auth === undefined ? null : requireAuth(options.auth),
    headers,
    name: requireName('name', options.name ?? 'longshore', 100),
    pollMs,
    requestTimeoutMs: requirePositiveMs('requestTimeoutMs', requestTimeoutMs),
    reportsMax: requireInteger('reportsMax', reportsMax, 1, 1_000),
    usePriority,
    tenantIds,
  };
}

/** The part that is the runner's. */
export function runnerOptions(options: object): Omit<RunnerOptions, 'engine' | 'tasks'> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in RUNNERS));
}

export function requireUrl(given: unknown): URL {
  const expected =
    "the address of the engine's REST API, such as http://localhost:8080/engine-rest (or OPERATON_URL)";
  if (given === undefined) throw optionInvalid('url', given, expected);
  const url = URL.canParse(String(given)) ? new URL(String(given)) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw optionInvalid('url', given, expected);
  if (url.username !== '' || url.password !== '')
    throw optionInvalid(
      'url',
      `${url.origin}${url.pathname}`,
      'an address without a user name and password; give them as `auth`, or as OPERATON_USERNAME and OPERATON_PASSWORD',
    );
  return url;
}

function requireTopics(topics: unknown, lockMs: number): Checked['topics'] {
  const expected = 'at least one task by the name of its topic: { charge: chargeCard }';
  if (typeof topics !== 'object' || topics === null || Array.isArray(topics))
    throw optionInvalid('topics', topics, expected);
  const entries = Object.entries(topics);
  if (entries.length === 0) throw optionInvalid('topics', topics, expected);
  return new Map(
    entries.map(([name, value]) => {
      requireName('the name of a topic', name, 255);
      const topic = isTask(value) ? { task: value as AnyTask } : requireTopic(`topics.${name}`, value);
      return [name, { ...topic, lockMs: topic.lockMs ?? lockMs }];
    }),
  );
}

function requireTopic(field: string, value: unknown): Topic {
  if (typeof value !== 'object' || value === null)
    throw optionInvalid(field, value, 'what defineTask() returns, or { task: … } with settings of the topic');
  requireOptions(field, value, TOPIC);
  const topic = value as Topic;
  if (!isTask(topic.task) || !hasHandler(topic.task))
    throw optionInvalid(`${field}.task`, topic.task, 'what defineTask() returns');
  if (topic.lockMs !== undefined) requireLock(`${field}.lockMs`, topic.lockMs);
  if (topic.input !== undefined && typeof topic.input !== 'function')
    throw optionInvalid(`${field}.input`, topic.input, 'a function (task) => input');
  if (topic.scope !== undefined && !['process', 'local'].includes(topic.scope))
    throw optionInvalid(`${field}.scope`, topic.scope, "'process' or 'local'");
  for (const names of ['variables', 'processDefinitionKeys', 'tenantIds'] as const)
    if (topic[names] !== undefined) requireNames(`${field}.${names}`, topic[names]);
  for (const [variable, type] of Object.entries(topic.types ?? {}))
    if (!VARIABLE_TYPES.includes(type))
      throw optionInvalid(`${field}.types.${variable}`, type, `one of ${VARIABLE_TYPES.join(', ')}`);
  return topic;
}

function requireLock(field: string, lockMs: unknown): void {
  if (requireMs(field, lockMs) < LOCK_MIN_MS)
    throw optionInvalid(field, lockMs, `at least ${LOCK_MIN_MS} milliseconds`);
}

function requireNames(field: string, names: unknown): void {
  if (!Array.isArray(names)) throw optionInvalid(field, names, 'a list of names');
  for (const [index, name] of names.entries()) requireName(`${field}[${index}]`, name, 255);
}
