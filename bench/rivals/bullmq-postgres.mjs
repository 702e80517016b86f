/** BullMQ on its PostgreSQL backend, otherwise as on Redis. */
import { createPostgresBackend, withBackend } from 'bullmq';
import { agent } from '../src/kit/agent.ts';
import { bullSystem } from './bullmq-system.mjs';

const { Queue, Worker } = withBackend(createPostgresBackend);

agent((settings) => {
  const { url, name } = settings.server;
  const connection = { connectionString: url, schema: name, migrate: true };
  return bullSystem(settings, { Queue, Worker, options: { connection } });
});
