import type { LongshoreError } from '../../core/errors.ts';
import type { TlsFiles } from '../../engine/keeper.ts';
import type { Authorization } from './auth.ts';
import { type Dialect, type Meaning, type Refusal, refusalOf, refused, unreachable } from './dialect.ts';
import { type Received, Sender } from './send.ts';

/**
 * Connectors to engines with a REST API share this client, who the worker is (auth.ts), waits between tries (backoff.ts), faults
 * told once (trouble.ts, say.ts), checks of options (options.ts). What an engine's answers mean is its connector's to say
 * (dialect.ts). Nothing here knows what work is.
 */
export interface RestOptions {
  /** Of the API, without a slash at its end. */
  readonly url: string;
  readonly dialect: Dialect;
  readonly authorization: Authorization;
  readonly headers: Readonly<Record<string, string>>;
  /** Longest wait for an answer, in ms; a long poll's own time comes on top. */
  readonly requestTimeoutMs: number;
  readonly socketsMax: number;
  readonly tls: TlsFiles | null;
  /** The header of authorization is another one from now on. */
  readonly onAuthorization?: ((header: string) => void) | undefined;
}

export type Method = 'GET' | 'POST' | 'PATCH';

export interface CallOptions {
  /** JSON, or a form. */
  readonly body?: unknown;
  /** Added to the longest wait. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type Answer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly refusal: Refusal };

export class Rest {
  /** For messages; without credentials. */
  readonly address: string;
  readonly #options: RestOptions;
  readonly #sender: Sender;
  #lastHeader: string | null = null;

  constructor(options: RestOptions) {
    this.address = options.url;
    this.#options = options;
    this.#sender = new Sender(options.socketsMax, options.tls);
  }

  /** The answer's body. Throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, LEASE_LOST, or the signal's reason. */
  async call(method: Method, path: string, options: CallOptions = {}): Promise<unknown> {
    const answer = await this.ask(method, path, options);
    if (answer.ok) return answer.body;
    throw this.refused(path, answer.refusal);
  }

  /** Throws ENGINE_UNAVAILABLE where no answer came, ENGINE_REFUSED where there is no access token, or the signal's reason. */
  async ask(method: Method, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.#ask(method, path, options);
    const isOutdated = !answer.ok && answer.refusal.status === 401 && this.#options.authorization.renew();
    return isOutdated ? this.#ask(method, path, options) : answer;
  }

  /**
   * Asks for the header of authorization, so that `onAuthorization` hears of another one while nothing else is sent. `isRefused`: the
   * engine answered 401 to the last. Never rejects: the next request says what is wrong.
   */
  async refreshAuthorization(isRefused = false): Promise<void> {
    if (isRefused) this.#options.authorization.renew();
    await this.#authorize().catch(() => undefined);
  }

  /** The error that an answer to `what` is. `meaning`: where it is not what such an answer means to a command about work. */
  refused(what: string, refusal: Refusal, meaning?: Meaning): LongshoreError {
    return refused(this.#options.dialect, this.address, what, refusal, meaning);
  }

  /** What is under way ends with ENGINE_UNAVAILABLE. */
  close(): void {
    this.#sender.close();
  }

  async #ask(method: Method, path: string, { body, waitMs = 0, signal }: CallOptions): Promise<Answer> {
    const { dialect, requestTimeoutMs: timeoutMs, headers: others } = this.#options;
    const authorization = await this.#authorize();
    signal?.throwIfAborted();
    const { payload, type } = await payloadOf(body);
    const headers = {
      accept: 'application/json',
      ...(payload === null ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(payload) }),
      ...(authorization === null ? {} : { authorization }),
      ...others,
    };
    const url = new URL(this.address + path);
    let received: Received;
    try {
      received = await this.#sender.send({ url, method, headers, payload, timeoutMs, waitMs, signal });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw unreachable(dialect, this.address, error);
    }
    const { status, text, retryAfter } = received;
    const answered = tryParse(dialect, text);
    if (status >= 200 && status < 300) return { ok: true, body: answered };
    return { ok: false, refusal: refusalOf(dialect, status, answered, retryAfter) };
  }

  async #authorize(): Promise<string | null> {
    const header = await this.#options.authorization.header();
    if (header !== null && header !== this.#lastHeader) this.#options.onAuthorization?.(header);
    this.#lastHeader = header;
    return header;
  }
}

async function payloadOf(
  body: unknown,
): Promise<{ readonly payload: string | Buffer | null; readonly type: string }> {
  const type = 'application/json';
  if (body === undefined) return { payload: null, type };
  if (!(body instanceof FormData)) return { payload: JSON.stringify(body), type };
  const form = new Response(body);
  return { payload: Buffer.from(await form.arrayBuffer()), type: form.headers.get('content-type') ?? type };
}

/** A text that is not JSON as it is: the pages of proxies. */
function tryParse({ parse }: Dialect, text: string): unknown {
  try {
    return text === '' ? null : parse(text);
  } catch {
    return text;
  }
}
