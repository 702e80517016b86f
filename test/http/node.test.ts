/** The handler on node:http: mounted below a path, behind a body parser, with slow readers and callers that go away. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, request } from 'node:http';
import { type AddressInfo, connect as dial } from 'node:net';
import type { TestContext } from 'node:test';
import { openServer } from '../../src/http/server.ts';
import { defineTask, type Longshore, toNodeHandler } from '../../src/index.ts';
import { onEachStore, type Stage } from '../stage.ts';

const echo = defineTask({ name: 'echo', run: ({ input }) => input });

function onMemory(title: string, body: (stage: Stage) => Promise<void>): void {
  onEachStore(title, body, ['memory']);
}

async function serve(t: TestContext, longshore: Longshore): Promise<string> {
  const server = await openServer(longshore.http(), { host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  return server.url;
}

async function listen(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

onMemory('requests and answers pass, bodies included', async ({ t, connect }) => {
  const url = await serve(t, await connect());
  const made = await fetch(`${url}/api/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task: 'echo', input: 'ü' }),
  });
  assert.equal(made.status, 201);
  const job = await fetch(new URL(made.headers.get('location') ?? '', url));
  assert.equal(((await job.json()) as { input: string }).input, 'ü');
  const head = await fetch(`${url}/api/v1/overview`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

onMemory('below a path, and after a body parser, as in Express', async ({ t, connect }) => {
  const longshore = await connect();
  const handle = toNodeHandler(longshore.http());
  const port = await listen(t, async (incoming, outgoing) => {
    // What Express does for `app.use(express.json())` and `app.use('/ops', handler)`.
    const { url = '' } = incoming;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    Object.assign(incoming, { originalUrl: url, baseUrl: '/ops', url: url.slice(4), body });
    await handle(incoming, outgoing);
  });
  const made = await fetch(`http://127.0.0.1:${port}/ops/api/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"task":"echo"}',
  });
  assert.equal(made.status, 201);
  assert.match(made.headers.get('location') ?? '', /^\/ops\/api\/v1\/jobs\//);
  const document = await fetch(`http://127.0.0.1:${port}/ops/openapi.json`);
  assert.deepEqual(((await document.json()) as { servers: unknown }).servers, [{ url: '/ops/api/v1' }]);
});

onMemory('a caller that goes away ends its wait and its stream', async ({ t, connect }) => {
  const longshore = await connect();
  const errors: unknown[] = [];
  const handler = longshore.http({ streamsMax: 1, onError: (error) => errors.push(error) });
  const server = await openServer(handler, { host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  const { id } = await longshore.enqueue(echo, 1);
  for (const path of [`/jobs/${id}/result?waitMs=60000`, '/events']) {
    const gone = request(`${server.url}/api/v1${path}`).end();
    gone.on('error', () => undefined);
    if (path === '/events') await once(gone, 'response');
    gone.destroy();
  }
  // The one stream there may be is free again, sooner or later.
  for (let status = 429; status !== 200; ) {
    const next = await fetch(`${server.url}/api/v1/events`);
    ({ status } = next);
    await next.body?.cancel();
  }
  assert.deepEqual(errors, []);
});

onMemory('what is no request of HTTP, or of the web, is refused and harms nobody', async ({ t, connect }) => {
  const url = await serve(t, await connect());
  const { port } = new URL(url);
  const raw = async (text: string): Promise<string> => {
    const socket = dial(Number(port), '127.0.0.1');
    socket.end(text);
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
    });
    await once(socket, 'close');
    return answer.split('\r\n')[0] ?? '';
  };
  const end = '\r\nConnection: close\r\n\r\n';
  assert.match(await raw(`TRACE /api/v1/jobs HTTP/1.1\r\nHost: localhost${end}`), / 405 /);
  assert.match(await raw(`GET /api/v1/jobs HTTP/1.1\r\nHost: a b/c${end}`), / 400 /);
  assert.match(await raw(`GET http://evil.example/api/v1/jobs HTTP/1.1\r\nHost: localhost${end}`), / 400 /);
  assert.match(await raw(`GET //evil.example/api/v1/jobs HTTP/1.1\r\nHost: localhost${end}`), / 404 /);
  assert.match(await raw(`GET /api/v1/overview HTTP/1.1\r\nHost: localhost${end}`), / 200 /);
});

onMemory('a server whose port is taken says so', async ({ t, connect }) => {
  const longshore = await connect();
  const port = Number(new URL(await serve(t, longshore)).port);
  await assert.rejects(openServer(longshore.http(), { host: '127.0.0.1', port }), {
    code: 'HTTP_FAILED',
    message: /port \d+: .*EADDRINUSE/,
  });
});
