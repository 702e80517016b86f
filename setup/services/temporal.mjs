/** Starts Temporal's development server for tests, benches and development. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './free-port.mjs';
import { Guard } from './guard.mjs';
import { Server } from './server.mjs';
import { TEMPORAL_MISSING, temporalProgram } from './temporal-program.mjs';
import { temporaryFolder } from './unprivileged.mjs';

/**
 * @param {object} [options]
 * @param {boolean} [options.durable] keeps workflows in a file, so that they outlive `kill` and `restart`; default false
 * @param {readonly string[]} [options.args] for the server, after its own: `['--namespace', 'orders']`
 * @param {number} [options.port] default: a free one
 * @returns {Promise<Server>} whose `url` is an address, `127.0.0.1:7233`. Throws where there is no Temporal
 */
export async function startTemporal({ durable = false, args = [], port } = {}) {
  const program = temporalProgram();
  if (program === undefined) throw new Error(TEMPORAL_MISSING);
  const folder = temporaryFolder('longshore-temporal-', undefined);
  const guard = new Guard(folder);
  const metrics = await freePort();
  const kept = durable ? ['--db-filename', join(folder, 'temporal.db')] : [];
  const fixed = ['--headless', '--ip', '127.0.0.1', '--metrics-port', String(metrics), '--log-level', 'warn'];
  try {
    return await Server.start(
      {
        name: 'Temporal',
        folder,
        guard,
        user: undefined,
        url: (own) => `127.0.0.1:${own}`,
        command: (own) => ({
          file: program,
          args: ['server', 'start-dev', '--port', String(own), ...fixed, ...kept, ...args],
        }),
        isReady: (own) => listens(own),
        endSignal: 'SIGTERM',
        dropSignal: 'SIGKILL',
      },
      port,
    );
  } catch (error) {
    guard.abandon();
    throw error;
  }
}

/** It opens its port when its services run. @param {number} port @returns {Promise<boolean>} */
function listens(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (is) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}
