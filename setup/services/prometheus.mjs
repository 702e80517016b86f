/** Starts Prometheus for tests and development: it scrapes what it is told to, every second, and keeps nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Guard } from './guard.mjs';
import { PROMETHEUS_MISSING, prometheusProgram } from './prometheus-program.mjs';
import { Server } from './server.mjs';
import { temporaryFolder } from './unprivileged.mjs';

/**
 * @param {object} options
 * @param {readonly string[]} options.targets `127.0.0.1:9464`
 * @param {readonly string[]} [options.rules] files of alert rules
 * @param {readonly string[]} [options.alertmanagers] `127.0.0.1:9093`
 * @param {number} [options.port] default: a free one
 * @returns {Promise<Server>} throws where there is no Prometheus
 */
export async function startPrometheus({ targets, rules = [], alertmanagers = [], port }) {
  const program = await prometheusProgram('prometheus');
  if (program === undefined) throw new Error(PROMETHEUS_MISSING);
  const folder = temporaryFolder('longshore-prometheus-', undefined);
  const guard = new Guard(folder);
  mkdirSync(join(folder, 'data'));
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    alerting: { alertmanagers: [{ static_configs: [{ targets: alertmanagers }] }] },
    scrape_configs: [{ job_name: 'longshore', static_configs: [{ targets }] }],
  };
  // YAML takes JSON.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  try {
    return await Server.start(
      {
        name: 'Prometheus',
        folder,
        guard,
        user: undefined,
        url: (own) => `http://127.0.0.1:${own}`,
        command: (own) => ({
          file: program,
          args: [
            `--config.file=${join(folder, 'prometheus.yml')}`,
            `--storage.tsdb.path=${join(folder, 'data')}`,
            // It finds its Alertmanager some seconds after its first alert.
            '--rules.alert.resend-delay=1s',
            `--web.listen-address=127.0.0.1:${own}`,
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

/** @param {string} path @returns {(port: number) => Promise<boolean>} */
export function answers(path) {
  return async (port) => {
    try {
      const { ok } = await fetch(`http://127.0.0.1:${port}/${path}`);
      return ok;
    } catch {
      return false;
    }
  };
}
