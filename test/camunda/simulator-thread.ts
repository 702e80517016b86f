/** A simulator in a thread of its own with one job, so that a test may hold its event loop. Counts extensions of locks. */
import { parentPort, workerData } from 'node:worker_threads';
import { sequence } from './processes.ts';
import { Simulator } from './simulator/server.ts';

const { counter } = workerData as { counter: Int32Array };
const simulator = await new Simulator().listen();
simulator.engine.deploy('holding.bpmn', sequence('holding', { type: 'holding' }));
simulator.engine.create({ processId: 'holding', variables: { until: 2 }, tenantId: '<default>', tags: [] });
simulator.trouble = ({ method, path }) => {
  if (method === 'PATCH') {
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  }
  if (path.endsWith('/completion')) parentPort?.postMessage('completed');
  return null;
};
parentPort?.postMessage(simulator.url);
