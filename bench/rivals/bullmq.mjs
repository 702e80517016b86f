/** BullMQ with its defaults on Redis. */
import { Queue, Worker } from 'bullmq';
import { agent } from '../src/kit/agent.ts';
import { bullSystem, connectionOf } from './bullmq-system.mjs';

agent((settings) => {
  const { server } = settings;
  return bullSystem(settings, {
    Queue,
    Worker,
    options: { connection: connectionOf(server), prefix: server.name },
  });
});
