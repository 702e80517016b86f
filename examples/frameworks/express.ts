/** Express: routes enqueue, a worker in the same process runs the jobs, and both end in order. */
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import { connect, LongshoreError } from '../../src/index.ts'; // in your project: from 'longshore'
import { tryOut } from './client.ts';
import { welcome } from './tasks.ts';

const longshore = await connect(process.env['LONGSHORE_STORE'] ?? 'sqlite:jobs.db');
await longshore.worker({ tasks: [welcome] }).start();

const app = express();
app.use(express.json());

app.post('/welcome', async (request, response) => {
  const { id } = await longshore.enqueue(welcome, request.body); // the schema checks the body
  response.status(202).json({ id });
});

app.get('/jobs/:id', async (request, response) => {
  const { state, result } = await longshore.jobs.handle(request.params.id).ended({ timeoutMs: 20_000 });
  response.json({ state, result });
});

app.get('/health', async (_request, response) => {
  const health = await longshore.health();
  response.status(health.ok ? 200 : 503).json(health);
});

// Four parameters: that is how Express knows a handler of errors.
app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
  if (!(error instanceof LongshoreError)) return next(error);
  response.status(error.status).json({ code: error.code });
});

const server = app.listen(0, '127.0.0.1', async () => {
  await tryOut(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  stop();
});

function stop(): void {
  server.close(() => longshore.close()); // first no more requests, then the worker gets its grace
  server.closeIdleConnections();
}
process.once('SIGTERM', stop);
