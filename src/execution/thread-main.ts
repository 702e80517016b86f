import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { ThreadData, ToHost } from './protocol.ts';
import { Resident } from './resident.ts';
import { HostMemorySlate } from './slate-memory.ts';

/**
 * The program of a host that is a thread. After a job that ended in the turn it came in, it waits for the next one on
 * shared memory (waker.ts), and gives its event loop a turn every millisecond, which is as late as Node's timers are in
 * any case, or when no message comes for some: that is for what jobs left behind.
 */
const port = parentPort as NonNullable<typeof parentPort>;
const { settings, posted, heard, slate } = workerData as ThreadData;
const exit = process.exit.bind(process);
const TURN_MS = 1;
let messages = 0;

const resident = new Resident(
  {
    post: (message) => port.postMessage(message),
    // Node delivers what was posted before a thread ends.
    exit,
    slate: new HostMemorySlate(slate),
  },
  settings,
);
port.on('message', (message: ToHost | string) => {
  const turnEndsAt = performance.now() + TURN_MS;
  hear(message);
  while (resident.idle && performance.now() < turnEndsAt) {
    const next = take();
    if (next === null) break;
    hear(next);
  }
  // From here on it waits for nothing until there is another message.
  Atomics.store(heard, 0, messages);
});

function hear(message: ToHost | string): void {
  messages = (messages + 1) | 0;
  resident.hear(message);
}

/** The next message; null where the thread is to go back to its event loop. */
function take(): ToHost | string | null {
  // Read before the look: a message that comes between the two ends the wait at once.
  const seen = Atomics.load(posted, 0);
  const ready = receiveMessageOnPort(port);
  if (ready !== undefined) return ready.message as ToHost | string;
  Atomics.wait(posted, 0, seen);
  return (receiveMessageOnPort(port)?.message as ToHost | string | undefined) ?? null;
}
