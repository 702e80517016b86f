/** Starts Alertmanager for tests and development: it takes alerts from Prometheus, alone and without a cluster. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ALERTMANAGER_MISSING, alertmanagerProgram } from './alertmanager-program.mjs';
import { Guard } from './guard.mjs';
import { answers } from './prometheus.mjs';
import { Server } from './server.mjs';
import { temporaryFolder } from './unprivileged.mjs';

/**
 * @param {object} options
 * @param {string} options.config its file
 * @param {number} [options.port] default: a free one
 * @returns {Promise<Server>} throws where there is no Alertmanager
 */
export async function startAlertmanager({ config, port }) {
  const program = alertmanagerProgram();
  if (program === undefined) throw new Error(ALERTMANAGER_MISSING);
  const folder = temporaryFolder('longshore-alertmanager-', undefined);
  const guard = new Guard(folder);
  mkdirSync(join(folder, 'data'));
  try {
    return await Server.start(
      {
        name: 'Alertmanager',
        folder,
        guard,
        user: undefined,
        url: (own) => `http://127.0.0.1:${own}`,
        command: (own) => ({
          file: program,
          args: [
            `--config.file=${config}`,
            `--storage.path=${join(folder, 'data')}`,
            `--web.listen-address=127.0.0.1:${own}`,
            '--cluster.listen-address=',
          ],
        }),
        isReady: answers('-/ready'),
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
