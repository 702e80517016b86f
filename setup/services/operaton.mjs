/** Starts Operaton with its REST API for tests, benches and development. */
import { join } from 'node:path';
import { Guard } from './guard.mjs';
import { builtOperaton, OPERATON_MISSING, operatonProgram } from './operaton-program.mjs';
import { Server } from './server.mjs';
import { temporaryFolder } from './unprivileged.mjs';

/** A virtual machine on a busy computer takes its time; a quiet one needs 8 s. */
const START_TIMEOUT_MS = 180_000;

/**
 * @param {object} [options]
 * @param {boolean} [options.durable] data in a file, flushed at each commit, that outlast `kill` and `restart`; default false
 * @param {readonly string[]} [options.args] settings for the server: `['--longshore.basic-auth=true']`
 * @param {boolean} [options.build] builds the program where it is not there; default: with CI set
 * @param {number} [options.port] default: a free one
 * @returns {Promise<Server>} its `url` is that of the REST API; throws where there is no Operaton
 */
export async function startOperaton({
  durable = false,
  args = [],
  build = Boolean(process.env.CI),
  port,
} = {}) {
  const program = build ? await builtOperaton() : operatonProgram();
  if (program === undefined) throw new Error(OPERATON_MISSING);
  const folder = temporaryFolder('longshore-operaton-', undefined);
  const guard = new Guard(folder);
  const data = durable
    ? [`--spring.datasource.url=jdbc:h2:file:${join(folder, 'data')};WRITE_DELAY=0;DB_CLOSE_ON_EXIT=FALSE`]
    : [];
  // As little memory and compiling as a server for tests needs.
  const java = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-jar', program.jar];
  try {
    return await Server.start(
      {
        name: 'Operaton',
        folder,
        guard,
        user: undefined,
        url: (own) => `http://127.0.0.1:${own}/engine-rest`,
        command: (own) => ({ file: program.java, args: [...java, `--server.port=${own}`, ...data, ...args] }),
        isReady,
        startTimeoutMs: START_TIMEOUT_MS,
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

/** Also one that asks who is there. @param {number} port */
async function isReady(port) {
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}/engine-rest/version`);
    return [200, 401].includes(status);
  } catch {
    return false;
  }
}
