import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LongshoreError } from '../core/errors.ts';
import { reasonOf } from '../core/legible.ts';
import { toNodeHandler } from './node.ts';
import type { HttpHandler } from './options.ts';

/** A server of node:http for the handler: what `longshore serve` runs. */
export interface HttpServer {
  /** As `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more requests, ends streams, and waits for `graceMs` for the others. */
  close(graceMs: number): Promise<void>;
}

export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** Rejects with HTTP_FAILED where the address cannot be had. */
export async function openServer(handler: HttpHandler, { host, port }: Address): Promise<HttpServer> {
  const answer = toNodeHandler(handler);
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (cause) {
    throw new LongshoreError('HTTP_FAILED', `Cannot listen on ${host}, port ${port}: ${reasonOf(cause)}.`, {
      cause,
      details: { host, port },
    });
  }
  const { port: actual } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${shown}:${actual}`, close: (graceMs) => close(server, handler, graceMs) };
}

function close(server: Server, handler: HttpHandler, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    handler.close();
    server.closeIdleConnections();
  });
}
