/** Fastify: routes enqueue, a worker in the same process runs the jobs, and `app.close()` ends both in order. */
import fastify from 'fastify';
import { connect, LongshoreError } from '../../src/index.ts'; // in your project: from 'longshore'
import { tryOut } from './client.ts';
import { welcome } from './tasks.ts';

const longshore = await connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');
await longshore.worker({ tasks: [welcome] }).start();

const app = fastify({ forceCloseConnections: 'idle' });
app.addHook('onClose', () => longshore.close()); // after the last request; the worker gets its grace

app.post<{ Body: { email: string } }>('/welcome', async (request, reply) => {
  const { id } = await longshore.enqueue(welcome, request.body); // the schema checks the body
  return reply.code(202).send({ id });
});

app.get<{ Params: { id: string } }>('/jobs/:id', async ({ params }) => {
  const { state, result } = await longshore.jobs.handle(params.id).ended({ timeoutMs: 20_000 });
  return { state, result };
});

app.get('/health', async (_request, reply) => {
  const health = await longshore.health();
  return reply.code(health.ok ? 200 : 503).send(health);
});

app.setErrorHandler((error, _request, reply) => {
  if (!(error instanceof LongshoreError)) throw error;
  return reply.code(error.status).send({ code: error.code });
});

process.once('SIGTERM', () => app.close());
await tryOut(await app.listen({ port: 0, host: '127.0.0.1' }));
await app.close();
