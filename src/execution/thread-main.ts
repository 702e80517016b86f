import { parentPort, workerData } from 'node:worker_threads';
import type { HostSettings, ToHost } from './protocol.ts';
import { Resident } from './resident.ts';

/** The program of a host that is a thread. */
const port = parentPort as NonNullable<typeof parentPort>;
const exit = process.exit.bind(process);

const resident = new Resident(
  {
    post: (message) => port.postMessage(message),
    // Node delivers what was posted before a thread ends.
    exit,
  },
  workerData as HostSettings,
);
port.on('message', (message: ToHost) => resident.hear(message));
