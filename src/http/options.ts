import { optionInvalid, requireInteger, requireName } from '../core/errors.ts';
import { isDate } from '../core/legible.ts';
import { knownNames, requireKnown, requireOptions } from '../core/options.ts';
import { type AnyDeclaration, isTask } from '../core/task.ts';
import type { AnyFlow } from '../flow/flow.ts';
import { type Caller, isRole, ROLES, type Role } from './roles.ts';

/** What `longshore.http` takes. Read when the handler is made, so that what is wrong is said at once. */
export interface HttpOptions {
  /** Whoever sends one as `Authorization: Bearer …` has its role. */
  readonly tokens?: readonly HttpToken[];
  /**
   * Says who may do what, instead of tokens: a role, or with the name that audit trails are to tell; null: nobody. Without it
   * and without tokens only this machine may ask.
   */
  readonly authorize?: (request: Request) => Authorized | Promise<Authorized>;
  /** Where the handler is mounted, as `/jobs`; default: at the root, or what the adapter says. */
  readonly basePath?: string;
  /**
   * What is never shown: paths into `input`, `result`, `progress` and `data` (of log lines), such as `input.card` or
   * `result.*`, where `*` is any name or index; and texts that may tell of payloads: `message`, `stack`, `reason`, `pattern`.
   */
  readonly redact?: readonly string[];
  /** Other origins whose pages may act, such as `https://ops.example.org`. */
  readonly origins?: readonly string[];
  /** Largest body of a request; default 8 MiB. */
  readonly bodyBytesMax?: number;
  /** Streams of events at a time; default 100. */
  readonly streamsMax?: number;
  /** Requests without a valid token that an address may send in a minute; default 20. */
  readonly failuresMax?: number;
  /** Jobs made over HTTP have their input checked by the task of that name among these. */
  readonly tasks?: readonly AnyDeclaration[];
  /** Flows whose runs may be started over HTTP. */
  readonly flows?: readonly AnyFlow[];
  /** Folder with results of the bench, which the page shows as reports; default: none. */
  readonly reports?: string;
  /** What `prometheusMetrics` of longshore/prometheus gives: served at `GET /metrics` to those who may look; default: none. */
  readonly metrics?: HttpMetrics;
  /** Hears of unexpected errors, which callers see as HTTP_FAILED alone; default: a line on standard error. */
  readonly onError?: (error: unknown) => void;
}

export interface HttpMetrics {
  readonly contentType: string;
  /** The whole text of a scrape. */
  text(): Promise<string>;
}

export interface HttpToken {
  /** 16 characters or more. */
  readonly token: string;
  readonly role: Role;
  /** In audit trails; default `token`. */
  readonly name?: string;
  /** From then on the token is refused. */
  readonly expiresAt?: Date | number;
}

export type Authorized = Role | Caller | null;

/** What an adapter knows of a request beside the request itself. */
export interface RequestFacts {
  /** The peer's address. Where nobody says it, nobody is taken for this machine. */
  readonly remoteAddress?: string | undefined;
  /** The method, where no web-standard request can have it, such as TRACE. */
  readonly method?: string | undefined;
  /** Where the adapter is mounted, unless the options say so. */
  readonly basePath?: string | undefined;
}

/** Answers requests, in the form of web standards. */
export interface HttpHandler {
  (request: Request, facts?: RequestFacts): Promise<Response>;
  /** Ends open streams of events. `longshore.close()` calls it. */
  close(): void;
}

type Optional = 'authorize' | 'tokens' | 'basePath' | 'reports' | 'metrics';

export type HttpSettings = Required<Omit<HttpOptions, Optional>> &
  Pick<HttpOptions, 'authorize'> & {
    readonly tokens: readonly (Required<Omit<HttpToken, 'expiresAt'>> & { readonly expiresAt: number })[];
    readonly basePath: string | null;
    readonly reports: string | null;
    readonly metrics: HttpMetrics | null;
  };

export const BODY_BYTES_MAX_DEFAULT = 8_388_608;
export const STREAMS_MAX_DEFAULT = 100;
export const FAILURES_MAX_DEFAULT = 20;

const HTTP_OPTIONS = knownNames<HttpOptions>({
  tokens: true,
  authorize: true,
  basePath: true,
  redact: true,
  origins: true,
  bodyBytesMax: true,
  streamsMax: true,
  failuresMax: true,
  tasks: true,
  flows: true,
  reports: true,
  metrics: true,
  onError: true,
});
const TOKEN = knownNames<HttpToken>({ token: true, role: true, name: true, expiresAt: true });

const TOKEN_CHARS_MIN = 16;

const PAYLOADS = ['input', 'result', 'progress', 'data'];
/** Of errors, log lines and runs that failed. */
const TEXTS = ['message', 'stack', 'reason', 'pattern'];

/** Throws OPTION_INVALID. */
export function httpSettings(options: HttpOptions): HttpSettings {
  requireKnown('http', options, HTTP_OPTIONS);
  const { authorize, basePath, tokens = [], redact = [], origins = [], tasks = [], flows = [] } = options;
  const { onError = report } = options;
  if (authorize !== undefined && typeof authorize !== 'function')
    throw optionInvalid('authorize', authorize, 'a function (request) => role or null');
  if (authorize !== undefined && options.tokens !== undefined)
    throw optionInvalid('tokens', tokens, 'to be left out when authorize is given');
  if (typeof onError !== 'function') throw optionInvalid('onError', onError, 'a function (error)');
  return {
    tokens: requireArray('tokens', tokens).map(requireToken),
    ...(authorize === undefined ? {} : { authorize }),
    basePath: basePath === undefined ? null : requireBasePath(basePath),
    redact: requireArray('redact', redact).map(requirePath),
    origins: requireArray('origins', origins).map(requireOrigin),
    bodyBytesMax: requireInteger('bodyBytesMax', options.bodyBytesMax ?? BODY_BYTES_MAX_DEFAULT, 1),
    streamsMax: requireInteger('streamsMax', options.streamsMax ?? STREAMS_MAX_DEFAULT, 0),
    failuresMax: requireInteger('failuresMax', options.failuresMax ?? FAILURES_MAX_DEFAULT, 0),
    tasks: requireArray('tasks', tasks).map(requireTask),
    flows: requireArray('flows', flows),
    reports: options.reports === undefined ? null : requireFolder(options.reports),
    metrics: options.metrics === undefined ? null : requireMetrics(options.metrics),
    onError,
  };
}

/** A role is given, or a role with a name. */
export function callerOf(given: unknown, name: string): Caller | null {
  if (given === null || given === undefined) return null;
  if (isRole(given)) return { name, role: given };
  const { role, name: said } = given as Partial<Caller>;
  if (isRole(role)) return { name: requireName('name', said), role };
  throw optionInvalid('what authorize returned', given, `${ROLES.join(', ')}, { role, name } or null`);
}

function requireToken(given: HttpToken, index: number): HttpSettings['tokens'][number] {
  const field = `tokens[${index}]`;
  requireOptions(field, given, TOKEN);
  const { token, role, name = 'token', expiresAt } = given;
  // The token itself is not shown.
  if (typeof token !== 'string' || token.length < TOKEN_CHARS_MIN || !/^[\x21-\x7e]+$/.test(token))
    throw optionInvalid(
      `${field}.token`,
      typeof token === 'string' ? `${token.length} characters` : token,
      `${TOKEN_CHARS_MIN} characters or more, ASCII without spaces`,
    );
  if (!isRole(role)) throw optionInvalid(`${field}.role`, role, ROLES.join(', '));
  return { token, role, name: requireName(`${field}.name`, name), expiresAt: endOf(field, expiresAt) };
}

function endOf(field: string, expiresAt: Date | number | undefined): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY;
  const time = isDate(expiresAt) ? expiresAt.getTime() : expiresAt;
  if (typeof time === 'number' && Number.isFinite(time)) return time;
  throw optionInvalid(`${field}.expiresAt`, expiresAt, 'a valid Date or ms since the epoch');
}

function requireBasePath(path: string): string {
  if (typeof path === 'string' && /^(\/[\w.~-]+)*\/?$/.test(path)) return path.replace(/\/$/, '');
  throw optionInvalid('basePath', path, "a path such as '/jobs'");
}

function requireFolder(folder: string): string {
  if (typeof folder === 'string' && folder.trim() !== '') return folder;
  throw optionInvalid('reports', folder, 'the path of a folder with results of the bench');
}

function requireMetrics(metrics: HttpMetrics): HttpMetrics {
  if (typeof metrics?.text === 'function' && typeof metrics.contentType === 'string') return metrics;
  throw optionInvalid('metrics', metrics, 'what prometheusMetrics() of longshore/prometheus resolves to');
}

function requirePath(path: string, index: number): string {
  const [first = '', ...rest] = typeof path === 'string' ? path.split('.') : [];
  const isPayload = PAYLOADS.includes(first) && rest.every((part) => part !== '');
  if (isPayload || (TEXTS.includes(first) && rest.length === 0)) return path;
  throw optionInvalid(
    `redact[${index}]`,
    path,
    `a path into ${PAYLOADS.join(', ')}, such as 'input.card' or 'result.*', or one of ${TEXTS.join(', ')}`,
  );
}

function requireOrigin(origin: string, index: number): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw optionInvalid(`origins[${index}]`, origin, "an origin such as 'https://ops.example.org'");
}

function requireTask(task: AnyDeclaration, index: number): AnyDeclaration {
  if (isTask(task)) return task;
  throw optionInvalid(`tasks[${index}]`, task, 'what defineTask() or declareTask() returns');
}

function requireArray<Item>(field: string, given: readonly Item[]): readonly Item[] {
  if (Array.isArray(given)) return given;
  throw optionInvalid(field, given, 'an array');
}

function report(error: unknown): void {
  console.error('longshore http:', error);
}
