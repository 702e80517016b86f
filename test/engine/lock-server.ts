/** A thread with an HTTP server whose answers the test sets; it works while the test's own event loop is held. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Shared memory: requests so far, the status to answer, and how many requests were under way at most. */
const [REQUESTS, STATUS, MOST] = [0, 1, 2] as const;

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface LockServer {
  readonly port: number;
  /** Requests so far, without a turn of the event loop. */
  readonly requests: number;
  readonly most: number;
  status: number;
  /** Each request as it comes in. */
  onAsked: (asked: Asked) => void;
  close(): Promise<number>;
}

export async function startLockServer(): Promise<LockServer> {
  const shared = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  Atomics.store(shared, STATUS, 204);
  const thread = new Worker(new URL('./lock-server.ts', import.meta.url), {
    workerData: { lockServer: shared },
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  thread.on('message', (message: { port: number } | Asked) => {
    if ('port' in message) resolve(message.port);
    else server.onAsked(message);
  });
  const server: LockServer = {
    port: await promise,
    get requests() {
      return Atomics.load(shared, REQUESTS);
    },
    get most() {
      return Atomics.load(shared, MOST);
    },
    get status() {
      return Atomics.load(shared, STATUS);
    },
    set status(status) {
      Atomics.store(shared, STATUS, status);
    },
    onAsked: () => undefined,
    close: () => thread.terminate(),
  };
  return server;
}

if (!isMainThread && (workerData as { lockServer?: Int32Array } | null)?.lockServer !== undefined) {
  const shared = (workerData as { lockServer: Int32Array }).lockServer;
  let underWay = 0;
  const server = createServer(async (request, response) => {
    underWay += 1;
    Atomics.store(shared, MOST, Math.max(underWay, Atomics.load(shared, MOST)));
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', headers } = request;
    parentPort?.postMessage({ method, url, authorization: headers.authorization, body } satisfies Asked);
    underWay -= 1;
    Atomics.add(shared, REQUESTS, 1);
    response.writeHead(Atomics.load(shared, STATUS)).end();
  });
  server.listen(0, '127.0.0.1', () =>
    parentPort?.postMessage({ port: (server.address() as AddressInfo).port }),
  );
}
