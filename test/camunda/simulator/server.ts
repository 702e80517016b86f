import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { Engine } from './engine.ts';
import { Polls } from './polls.ts';
import { Problem } from './problem.ts';
import { routes } from './routes.ts';

/**
 * A simulator of Camunda 8's REST API for tests: as much of it as job workers use, on a real HTTP server. Written from public
 * facts about the API; the official SDK's worker running on it with strict validation is the proof of its shapes
 * (test/camunda/sdk.test.ts). It is no engine to run processes with, and not in the package.
 */
export interface SimulatorOptions {
  readonly clock?: Clock;
  /** A journal, which the next simulator with the same file goes on from. */
  readonly file?: string;
  readonly port?: number;
  /** The `Authorization` header that requests need. */
  readonly authorization?: string;
}

export interface Call {
  readonly method: string;
  /** Below the base, e.g. `/v2/jobs/activation`. */
  readonly path: string;
  readonly body: unknown;
  readonly authorization: string | undefined;
}

/** What a test has the server do instead: refuse, hang up before it acts, hang up after it did, or not get the call: a proxy answers 404. */
export type Trouble = Problem | 'hang up' | 'act and hang up' | 'page of a proxy';

export class Simulator {
  readonly engine: Engine;
  readonly polls: Polls;
  /** What was called, in order. */
  readonly calls: Call[] = [];
  /** Asked for each call; null: no trouble. */
  trouble: (call: Call) => Trouble | null = () => null;
  /** The `Authorization` header that requests need now; null: none. */
  authorization: string | null;
  /** Tokens given out by `/oauth/token`. */
  tokens = 0;
  readonly #server: Server;

  constructor({ clock = systemClock, file, authorization }: SimulatorOptions = {}) {
    this.polls = new Polls(clock, () => this.engine);
    this.engine = new Engine(clock, file ?? null, (type) => this.polls.wake(type));
    this.authorization = authorization ?? null;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.keepAliveTimeout = 60_000;
  }

  /** Where clients are to be sent, without `/v2`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return this;
  }

  /** As a server that is shut down: open polls and connections end. */
  async close(): Promise<void> {
    this.polls.close();
    this.engine.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  /** Resolves to the nth call that matches, of all. What it does is done by then, unless it waits for jobs. */
  called(matches: (call: Call) => boolean, nth = 1): Promise<Call> {
    const had = this.calls.filter(matches)[nth - 1];
    if (had !== undefined) return Promise.resolve(had);
    return new Promise((resolve) => this.#awaited.push({ matches, nth, resolve }));
  }

  /** Resolves when a client hangs up on a request that is not answered yet, from now on. */
  disconnected(): Promise<void> {
    return new Promise((resolve) => this.#left.push(resolve));
  }

  #left: (() => void)[] = [];
  #awaited: { matches: (call: Call) => boolean; nth: number; resolve: (call: Call) => void }[] = [];

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    response.on('close', () => {
      if (!response.writableFinished) for (const resolve of this.#left.splice(0)) resolve();
    });
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const raw = Buffer.concat(chunks);
    const path = (request.url ?? '').split('?')[0] ?? '';
    try {
      const body = await readBody(request, raw);
      const call = { method: request.method ?? '', path, body, authorization: request.headers.authorization };
      const trouble = this.trouble(call);
      this.#note(call);
      if (trouble === 'hang up') return void request.socket.destroy();
      if (trouble === 'page of a proxy') return void response.writeHead(404).end('default backend - 404');
      if (trouble instanceof Problem) throw trouble;
      this.#requireAuthorization(request, path);
      const answer = await this.#answer(call, response);
      if (trouble === 'act and hang up') return void request.socket.destroy();
      send(response, answer === undefined ? 204 : 200, answer);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(500, 'INTERNAL', String(error));
      send(response, problem.status, problem, 'application/problem+json');
    }
  }

  #note(call: Call): void {
    this.calls.push(call);
    this.#awaited = this.#awaited.filter(({ matches, nth, resolve }) => {
      const isIt = matches(call) && this.calls.filter(matches).length === nth;
      if (isIt) resolve(call);
      return !isIt;
    });
  }

  #requireAuthorization({ headers }: IncomingMessage, path: string): void {
    if (this.authorization === null || path === '/oauth/token') return;
    if (headers.authorization === this.authorization) return;
    throw new Problem(401, 'UNAUTHORIZED', 'The request has no credentials, or wrong ones.');
  }

  async #answer(call: Call, response: ServerResponse): Promise<unknown> {
    for (const { method, path, run } of routes) {
      const match = path.exec(call.path);
      if (method !== call.method || match === null) continue;
      return run({ simulator: this, key: match[1] ?? '', body: call.body, isGone: () => response.destroyed });
    }
    throw new Problem(404, 'NOT_FOUND', `No route for ${call.method} ${call.path}.`);
  }
}

async function readBody(request: IncomingMessage, raw: Buffer): Promise<unknown> {
  if (raw.length === 0) return null;
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data'))
    return new Response(raw, { headers: { 'content-type': type } }).formData();
  if (type.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(raw.toString());
  try {
    return JSON.parse(raw.toString());
  } catch {
    throw new Problem(400, 'INVALID_ARGUMENT', 'The body is not JSON.');
  }
}

function send(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  if (response.destroyed) return;
  if (body === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}
