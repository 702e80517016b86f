import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { LongshoreError } from '../../core/errors.ts';
import { type Refusal, refusalOf, refused, unreachable } from './faults.ts';

/**
 * The engine's REST API over connections that stay open. Node's own HTTP client: a third of the processor time of `fetch` for a
 * request of this size (docs/adr/0027-operaton.md), and nothing to install.
 */
export interface RestOptions {
  /** Of the API: `http://localhost:8080/engine-rest`. */
  readonly url: URL;
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** Those of the next requests are others than before: a token changed. */
  readonly onHeaders: (headers: Readonly<Record<string, string>>) => void;
  /** Longest wait for an answer, in ms; a long poll's own time comes on top. */
  readonly requestTimeoutMs: number;
  readonly socketsMax: number;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  /** Added to the timeout of a request. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type Answer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly refusal: Refusal };

export class Rest {
  readonly #options: RestOptions;
  readonly #agent: Agent;
  readonly #base: string;
  #authorization: string | undefined;

  constructor(options: RestOptions) {
    this.#options = options;
    const settings = { keepAlive: true, maxSockets: options.socketsMax, scheduling: 'lifo' } as const;
    this.#agent = options.url.protocol === 'https:' ? new SecureAgent(settings) : new Agent(settings);
    this.#base = options.url.pathname.replace(/\/+$/, '');
  }

  /** For messages; without a user name and password. */
  get address(): string {
    return `${this.#options.url.origin}${this.#base}`;
  }

  /** The answer's body. Throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, LEASE_LOST, or the signal's reason. */
  async call(path: string, options: CallOptions = {}): Promise<unknown> {
    const answer = await this.ask(path, options);
    if (answer.ok) return answer.body;
    throw refused(this.address, path, answer.refusal);
  }

  /** Throws ENGINE_UNAVAILABLE where no answer came, or the signal's reason. */
  async ask(path: string, { method = 'POST', body, waitMs = 0, signal }: CallOptions = {}): Promise<Answer> {
    const headers = await this.#options.headers();
    if (headers.authorization !== this.#authorization) this.#options.onHeaders(headers);
    this.#authorization = headers.authorization;
    signal?.throwIfAborted();
    try {
      const { status, text } = await this.#send(path, method, body, headers, waitMs, signal);
      if (status >= 200 && status < 300) return { ok: true, body: text === '' ? null : parse(text) };
      return { ok: false, refusal: refusalOf(status, tryParse(text)) };
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw error instanceof LongshoreError ? error : unreachable(this.address, error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(
    path: string,
    method: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<{ status: number; text: string }> {
    const { url, requestTimeoutMs } = this.#options;
    // A text goes out with its head in one piece.
    const payload = body === undefined ? null : JSON.stringify(body);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request: ClientRequest = send({
        agent: this.#agent,
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: `${this.#base}${path}`,
        method,
        headers: {
          accept: 'application/json',
          ...(payload === null
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...headers,
        },
        ...(signal === undefined ? {} : { signal }),
      });
      const timer = setTimeout(() => request.destroy(timedOut(requestTimeoutMs)), requestTimeoutMs + waitMs);
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        reject(error);
      };
      request.once('error', fail);
      request.once('response', (response) =>
        read(response, fail, (text) => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text });
        }),
      );
      request.end(payload);
    });
  }
}

/** By events: an iterator of a stream costs more than the request. */
function read(response: IncomingMessage, fail: (error: unknown) => void, end: (text: string) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
  });
  response.once('error', fail);
  response.once('end', () => end(text));
}

function timedOut(ms: number): Error {
  return Object.assign(new Error(`no answer within ${ms} ms`), { code: 'TIMED_OUT' });
}

/** A Long that a number cannot hold exactly becomes a text of its digits. */
function parse(text: string): unknown {
  if (!LONG_DIGITS.test(text)) return tryParse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? (context?.source ?? value)
      : value,
  );
}

const LONG_DIGITS = /[:[,]\s*-?\d{16,}/;

/** A text that is not JSON as it is: the pages of proxies and application servers. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
