import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import type { TlsFiles } from '../../engine/keeper.ts';

/**
 * Requests over connections that stay open. Node's own HTTP client: a third of the processor time of `fetch` for a request of this size
 * (docs/adr/0027-operaton.md), it takes certificates, and there is nothing to install.
 */
export interface Request {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | number>>;
  /** A text goes out with its head in one piece. */
  readonly payload: string | Buffer | null;
  /** Longest wait for the whole answer, in ms: `timeoutMs`, which messages name, and what an answer may take by agreement. */
  readonly timeoutMs: number;
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Received {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

export class Sender {
  readonly #agent: Agent;
  readonly #secure: SecureAgent;

  constructor(socketsMax: number, tls: TlsFiles | null) {
    const settings = { keepAlive: true, maxSockets: socketsMax, scheduling: 'lifo' } as const;
    this.#agent = new Agent(settings);
    this.#secure = new SecureAgent({ ...settings, ...tls });
  }

  /** Rejects with what Node says, and with the code TIMED_OUT. */
  send({ url, method, headers, payload, timeoutMs, waitMs = 0, signal }: Request): Promise<Received> {
    const isSecure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request: ClientRequest = (isSecure ? httpsRequest : httpRequest)({
        agent: isSecure ? this.#secure : this.#agent,
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: `${url.pathname}${url.search}`,
        method,
        headers,
        ...(signal === undefined ? {} : { signal }),
      });
      const timer = setTimeout(() => request.destroy(timedOut(timeoutMs)), timeoutMs + waitMs);
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        reject(error);
      };
      request.once('error', fail);
      request.once('response', (response) =>
        read(response, fail, (text) => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text, retryAfter: response.headers['retry-after'] });
        }),
      );
      request.end(payload);
    });
  }

  /** What is under way ends with an error. */
  close(): void {
    this.#agent.destroy();
    this.#secure.destroy();
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
