import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { LongshoreError } from '../../core/errors.ts';
import { type Auth, type Authorization, authorizationOf } from './auth.ts';
import { type Refusal, refusalOf, refused, unreachable } from './faults.ts';

/**
 * The engine's REST API over connections that stay open. Node's own HTTP client: a third of the processor time of `fetch` for a request
 * of this size, and nothing to install (docs/adr/0028-camunda.md).
 */
export interface RestOptions {
  /** Of the API, with `/v2`. */
  readonly url: string;
  readonly auth: Auth | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Longest wait for an answer, in ms; a long poll's own time comes on top. */
  readonly requestTimeoutMs: number;
  readonly socketsMax: number;
  /** The header of authorization is another one from now on. */
  readonly onAuthorization: (header: string) => void;
}

export type Method = 'GET' | 'POST' | 'PATCH';

export interface CallOptions {
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
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #authorization: Authorization;
  #lastHeader: string | null = null;

  constructor(options: RestOptions) {
    this.address = options.url;
    this.#options = options;
    this.#url = new URL(options.url);
    const settings = { keepAlive: true, maxSockets: options.socketsMax, scheduling: 'lifo' } as const;
    this.#agent = this.#url.protocol === 'https:' ? new SecureAgent(settings) : new Agent(settings);
    this.#authorization = authorizationOf(options.auth);
  }

  /** The answer's body. Throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, LEASE_LOST, or the signal's reason. */
  async call(method: Method, path: string, options: CallOptions = {}): Promise<unknown> {
    const answer = await this.ask(method, path, options);
    if (answer.ok) return answer.body;
    throw refused(this.address, `${method} ${path}`, answer.refusal);
  }

  /** Throws ENGINE_UNAVAILABLE where no answer came, ENGINE_REFUSED where there is no access token, or the signal's reason. */
  async ask(method: Method, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.#ask(method, path, options);
    if (answer.ok || answer.refusal.status !== 401 || !this.#authorization.renew()) return answer;
    return this.#ask(method, path, options);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #ask(method: Method, path: string, { body, waitMs = 0, signal }: CallOptions): Promise<Answer> {
    const authorization = await this.#authorize();
    signal?.throwIfAborted();
    const isForm = body instanceof FormData;
    const form = isForm ? new Response(body) : null;
    const payload =
      form === null
        ? body === undefined
          ? null
          : Buffer.from(JSON.stringify(body))
        : Buffer.from(await form.arrayBuffer());
    const headers = {
      accept: 'application/json',
      ...(payload === null
        ? {}
        : {
            'content-type': form?.headers.get('content-type') ?? 'application/json',
            'content-length': payload.byteLength,
          }),
      ...(authorization === null ? {} : { authorization }),
      ...this.#options.headers,
    };
    try {
      const { status, text, retryAfter } = await this.#send({
        method,
        path,
        headers,
        payload,
        waitMs,
        signal,
      });
      const answered = tryParse(text);
      if (status >= 200 && status < 300) return { ok: true, body: answered };
      return { ok: false, refusal: refusalOf(status, answered, retryAfter) };
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw error instanceof LongshoreError ? error : unreachable(this.address, error);
    }
  }

  async #authorize(): Promise<string | null> {
    const header = await this.#authorization.header();
    if (header !== null && header !== this.#lastHeader) this.#options.onAuthorization(header);
    this.#lastHeader = header;
    return header;
  }

  #send({ method, path, headers, payload, waitMs, signal }: Sending): Promise<Received> {
    const url = this.#url;
    const { requestTimeoutMs } = this.#options;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request: ClientRequest = send({
        agent: this.#agent,
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: `${url.pathname}${path}`,
        method,
        headers,
        ...(signal === undefined ? {} : { signal }),
      });
      const timer = setTimeout(() => request.destroy(timedOut(requestTimeoutMs)), requestTimeoutMs + waitMs);
      const settle = <T>(end: (value: T) => void, value: T): void => {
        clearTimeout(timer);
        end(value);
      };
      request.once('error', (error) => settle(reject, error));
      request.once('response', (response) => {
        read(response).then(
          (text) => {
            const retryAfter = response.headers['retry-after'];
            settle(resolve, { status: response.statusCode ?? 0, text, retryAfter });
          },
          (error) => settle(reject, error),
        );
      });
      request.end(payload);
    });
  }
}

interface Sending {
  readonly method: Method;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly payload: Buffer | null;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Received {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

async function read(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

function timedOut(ms: number): Error {
  return Object.assign(new Error(`no answer within ${ms} ms`), { code: 'TIMED_OUT' });
}

/** A text that is not JSON as it is: the pages of proxies. */
function tryParse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
