import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reasonOf } from '../../core/legible.ts';

/** A small server for scrapes and probes, for programs that have none: `/metrics`, `/ready` and `/live`. */
export interface ServeOptions {
  /** 0: a free one. */
  readonly port: number;
  /** Default 127.0.0.1: whoever is to scrape from another machine has to be let in on purpose. */
  readonly host?: string;
  /** What `/ready` asks: `() => longshore.health()`. */
  readonly health?: () => Promise<{ readonly ok: boolean }>;
}

export interface MetricsServer {
  readonly port: number;
  /** Answers what is being asked, then ends. */
  close(): Promise<void>;
}

interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Rejects with Node's error when the port cannot be had. */
export async function serveMetrics(
  metrics: Metrics,
  { port, host = '127.0.0.1', health }: ServeOptions,
): Promise<MetricsServer> {
  const server = createServer((request, response) => void answer(request, response, { metrics, health }));
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, host }, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}

interface Means {
  readonly metrics: Metrics;
  readonly health: ServeOptions['health'];
}

async function answer(request: IncomingMessage, response: ServerResponse, means: Means): Promise<void> {
  const [path] = (request.url ?? '').split('?');
  // A scrape during a stop is answered; the connection does not hold up the end.
  response.setHeader('connection', 'close');
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'GET only\n');
  try {
    if (path === '/metrics')
      return send(response, 200, await means.metrics.text(), means.metrics.contentType);
    if (path === '/live') return send(response, 200, 'live\n');
    if (path === '/ready') {
      const ok = means.health === undefined || (await means.health()).ok;
      return send(response, ok ? 200 : 503, ok ? 'ready\n' : 'not ready\n');
    }
    send(response, 404, '/metrics, /ready, /live\n');
  } catch (error) {
    send(response, 503, `${reasonOf(error)}\n`);
  }
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type });
  response.end(text);
}
