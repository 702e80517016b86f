/**
 * The engine's own JavaScript client, as bench/src/programs/operaton-worker.ts is ours: it asks for as many tasks at a time as that one
 * runs, waits as long at the engine, and pauses between two fetches no longer than it must.
 */
import { Client } from 'camunda-external-task-client-js';
import { program } from '../src/program.ts';

program(async ({ url, topic, concurrency }, parent) => {
  const before = process.cpuUsage();
  const client = new Client({
    baseUrl: url,
    workerId: `own-${process.pid}`,
    maxTasks: concurrency,
    lockDuration: 30_000,
    asyncResponseTimeout: 5_000,
    interval: 0,
  });
  client.subscribe(topic, async ({ task, taskService }) => {
    await taskService.complete(task);
  });
  parent.say('ready');
  await parent.told('burnt');
  const { user, system } = process.cpuUsage(before);
  parent.say('cpu', user + system);
  await parent.told('stop');
  client.stop();
  return {};
});
