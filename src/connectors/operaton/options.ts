import {
  optionInvalid,
  requireInteger,
  requireMs,
  requireName,
  requirePositiveMs,
} from '../../core/errors.ts';
import { knownNames, requireOptions } from '../../core/options.ts';
import type { Json } from '../../core/payload.ts';
import type { AnyTask } from '../../core/task.ts';
import type { TlsFiles } from '../../engine/keeper.ts';
import type { RunnerOptions, RunnerSettings } from '../../engine/runner.ts';
import { type PlainAuth, requirePlainAuth } from '../http/auth.ts';
import {
  RUNNER_OPTIONS,
  requireAddress,
  requireHeaders,
  requireLock,
  requireNames,
  requireServed,
  requireTls,
  type Served,
} from '../http/options.ts';
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
  readonly auth?: PlainAuth;
  /** Authority, certificate and key, as PEM texts, for an engine behind TLS; default: Node's own authorities. */
  readonly tls?: TlsFiles;
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

/** Settings of a topic. */
export interface Topic extends Served<ExternalTask> {
  /** Only variables of the task itself; default false. */
  readonly localVariables?: boolean;
  /** The types of variables that the result sets, where they are not those its values suggest. */
  readonly types?: Readonly<Record<string, VariableType>>;
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
  readonly url: string;
  readonly topics: ReadonlyMap<string, CheckedTopic>;
  readonly auth: PlainAuth | null;
  readonly tls: TlsFiles | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly name: string;
  readonly pollMs: number;
  readonly requestTimeoutMs: number;
  readonly reportsMax: number;
  readonly usePriority: boolean;
  readonly tenantIds: readonly string[] | null;
}

const OPTIONS = knownNames<OperatonOptions>({
  url: true,
  topics: true,
  auth: true,
  tls: true,
  headers: true,
  name: true,
  lockMs: true,
  pollMs: true,
  requestTimeoutMs: true,
  reportsMax: true,
  usePriority: true,
  tenantIds: true,
  ...RUNNER_OPTIONS,
});

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

/** The engine refuses longer polls. */
const POLL_MAX_MS = 1_800_000;

/** Throws OPTION_INVALID, TASK_INVALID. */
export function checkedOptions(options: OperatonOptions): Checked {
  requireOptions('operatonWorker', options, OPTIONS);
  const { lockMs = 30_000, pollMs = 5_000, requestTimeoutMs = 30_000, reportsMax = 16 } = options;
  requireLock('lockMs', lockMs);
  if (requireMs('pollMs', pollMs) > POLL_MAX_MS) throw optionInvalid('pollMs', pollMs, 'at most 30 minutes');
  const { tenantIds, usePriority = true } = options;
  return {
    url: requireUrl(options.url),
    topics: requireServed<Topic>('topics', options.topics, lockMs, {
      noun: 'topic',
      gives: 'task',
      example: '{ charge: chargeCard }',
      known: TOPIC,
      check: requireTopic,
    }),
    auth: options.auth === undefined ? null : requirePlainAuth(options.auth),
    tls: requireTls(options.tls),
    headers: requireHeaders(options.headers ?? {}),
    name: requireName('name', options.name ?? 'longshore', 100),
    pollMs,
    requestTimeoutMs: requirePositiveMs('requestTimeoutMs', requestTimeoutMs),
    reportsMax: requireInteger('reportsMax', reportsMax, 1, 1_000),
    usePriority,
    tenantIds: tenantIds === undefined ? null : requireNames('tenantIds', tenantIds),
  };
}

/** Without a slash at its end. Throws OPTION_INVALID. */
export function requireUrl(given: unknown): string {
  return requireAddress(given, {
    expected:
      "the address of the engine's REST API, such as http://localhost:8080/engine-rest (or OPERATON_URL)",
    credentials: 'OPERATON_USERNAME and OPERATON_PASSWORD',
  });
}

function requireTopic(field: string, topic: Topic): void {
  if (topic.scope !== undefined && !['process', 'local'].includes(topic.scope))
    throw optionInvalid(`${field}.scope`, topic.scope, "'process' or 'local'");
  for (const names of ['processDefinitionKeys', 'tenantIds'] as const)
    if (topic[names] !== undefined) requireNames(`${field}.${names}`, topic[names]);
  for (const [variable, type] of Object.entries(topic.types ?? {}))
    if (!VARIABLE_TYPES.includes(type))
      throw optionInvalid(`${field}.types.${variable}`, type, `one of ${VARIABLE_TYPES.join(', ')}`);
}
