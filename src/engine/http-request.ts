import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** One HTTP request of the keeper's thread, with Node's own client: it takes certificates, and starts faster than `fetch`. */

/** Survives a message between threads. */
export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  /** Of a header `Retry-After`; null: there was none that can be read. */
  readonly retryAfterMs: number | null;
  /** The beginning of it. */
  readonly text: string;
}

/** PEM text, as node:tls takes it. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

export type Send = (call: HttpCall, timeoutMs: number) => Promise<HttpAnswer>;

const ANSWER_CHARS_MAX = 2_000;

/** Connections are kept open, and at most `connectionsMax` of them. */
export function httpSender(connectionsMax: number, tls: TlsFiles = {}): Send & { close(): void } {
  const options = { keepAlive: true, maxSockets: connectionsMax };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent({ ...options, ...tls }) };
  const send: Send = ({ method, url, headers, body }, timeoutMs) =>
    new Promise((resolve, reject) => {
      const isSecure = url.startsWith('https:');
      const sent = (isSecure ? httpsRequest : httpRequest)(
        url,
        {
          method,
          agent: isSecure ? agents.https : agents.http,
          headers: body === null ? headers : { 'content-type': 'application/json', ...headers },
          // It takes whole numbers alone, and a third of a lock's time need not be one.
          signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
        },
        (answer) => answerOf(answer).then(resolve, reject),
      );
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  return Object.assign(send, {
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  });
}

/** The body is read to its end, so that the connection can be used again. */
async function answerOf(answer: IncomingMessage): Promise<HttpAnswer> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const chunk of answer as AsyncIterable<string>)
    if (text.length < ANSWER_CHARS_MAX) text += chunk.slice(0, ANSWER_CHARS_MAX - text.length);
  return {
    status: answer.statusCode ?? 0,
    retryAfterMs: retryAfterMsOf(answer.headers['retry-after']),
    text,
  };
}

/** Seconds or a date. */
function retryAfterMsOf(value: string | undefined): number | null {
  if (value === undefined) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
