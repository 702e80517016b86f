/** Where Prometheus, its promtool and Alertmanager's amtool are: on this machine, or fetched from the system's package archive. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from '../lock.mjs';
import { fetchWithApt } from './apt.mjs';
import { onPath } from './on-path.mjs';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/services', import.meta.url));

/** The package of Debian that each is in. Its Alertmanager itself runs only where it is installed (alertmanager-program.mjs). */
const PROGRAMS = {
  prometheus: 'prometheus',
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
};

/**
 * @param {keyof typeof PROGRAMS} name
 * @returns {Promise<string | undefined>} undefined where it is not to be had
 */
export async function prometheusProgram(name) {
  const source = PROGRAMS[name];
  return onPath(name) ?? fetched(source, name) ?? (await fetchSource(source, name));
}

/** What a test says that is skipped for want of one. */
export const PROMETHEUS_MISSING =
  'Prometheus, promtool and amtool are not on the PATH, and apt-get cannot fetch them: install the packages prometheus and prometheus-alertmanager of Debian or Ubuntu, or put the programs on the PATH.';

/** They are programs that need no libraries. */
function fetched(source, name) {
  const file = join(CACHE, source, 'tree', 'usr', 'bin', name);
  return existsSync(file) ? file : undefined;
}

async function fetchSource(source, name) {
  if (onPath('apt-get') === undefined || onPath('dpkg-deb') === undefined) return undefined;
  const folder = join(CACHE, source);
  mkdirSync(dirname(folder), { recursive: true });
  return withLock(dirname(folder), async () => {
    // Its server has the name of its package.
    if (fetched(source, name) === undefined) await fetchWithApt(source, [source], folder);
    return fetched(source, name);
  });
}
