/** Hono on Node: routes enqueue, a worker in the same process runs the jobs, and both end in order. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { connect, LongshoreError } from '../../src/index.ts'; // in your project: from 'longshore'
import { tryOut } from './client.ts';
import { welcome } from './tasks.ts';

const longshore = await connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');
await longshore.worker({ tasks: [welcome] }).start();

const app = new Hono();

app.post('/welcome', async (context) => {
  const { id } = await longshore.enqueue(welcome, await context.req.json()); // the schema checks the body
  return context.json({ id }, 202);
});

app.get('/jobs/:id', async (context) => {
  const { state, result } = await longshore.jobs
    .handle(welcome, context.req.param('id'))
    .ended({ timeoutMs: 20_000 });
  return Response.json({ state, result });
});

app.get('/health', async () => {
  const health = await longshore.health();
  return Response.json(health, { status: health.ok ? 200 : 503 });
});

app.onError((error) => {
  if (!(error instanceof LongshoreError)) throw error;
  return Response.json({ code: error.code }, { status: error.status });
});

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, async () => {
  await tryOut(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  stop();
});

function stop(): void {
  server.close(() => longshore.close()); // first no more requests, then the worker gets its grace
  if ('closeIdleConnections' in server) server.closeIdleConnections();
}
process.once('SIGTERM', stop);
