/** Starts Redis, or Valkey where that is what the machine has, for tests and benches. */
import { connect } from 'node:net';
import { startRedisContainer } from './docker.mjs';
import { Guard } from './guard.mjs';
import { redisProgram } from './redis-program.mjs';
import { Server } from './server.mjs';
import { temporaryFolder } from './unprivileged.mjs';

const QUICK = ['--save', '', '--appendonly', 'no'];
const DURABLE = ['--save', '', '--appendonly', 'yes'];

/**
 * @param {object} [options]
 * @param {boolean} [options.durable] with an append-only file, flushed once a second; default false
 * @param {readonly string[]} [options.args] for the server, after its own: `['--maxmemory', '4mb']`
 * @param {number} [options.port] default: a free one
 * @returns {Promise<Server>} throws where there is no Redis
 */
export async function startRedis({ durable = false, args = [], port } = {}) {
  const given = [...(durable ? DURABLE : QUICK), ...args];
  const program = await redisProgram();
  if (program === undefined) return startRedisContainer(given, port);
  const folder = temporaryFolder('longshore-redis-', undefined);
  const guard = new Guard(folder);
  const fixed = ['--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'];
  try {
    return await Server.start(
      {
        name: 'Redis',
        folder,
        guard,
        user: undefined,
        url: (port) => `redis://127.0.0.1:${port}`,
        command: (port) => ({ file: program, args: ['--port', String(port), ...fixed, ...given] }),
        isReady: answers,
        endSignal: 'SIGTERM',
        dropSignal: 'SIGTERM',
      },
      port,
    );
  } catch (error) {
    guard.abandon();
    throw error;
  }
}

/**
 * Not before its data are read. Its own number is asked for, since another server may have taken the port.
 * @param {number} port
 * @param {number | undefined} pid
 */
async function answers(port, pid) {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    socket.write('INFO server\r\n');
    let text = '';
    for await (const data of socket) {
      text += data;
      if (/^process_id:\d+\r?$/m.test(text) || text.startsWith('-')) break;
    }
    return Number(/^process_id:(\d+)/m.exec(text)?.[1]) === pid;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
