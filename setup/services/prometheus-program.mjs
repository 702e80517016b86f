/** Where Prometheus and its promtool are: on this machine, or fetched from the system's package archive. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from '../lock.mjs';
import { fetchWithApt } from './apt.mjs';
import { onPath } from './on-path.mjs';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/services/prometheus', import.meta.url));

/**
 * @param {'prometheus' | 'promtool'} name
 * @returns {Promise<string | undefined>} undefined where it is not to be had
 */
export async function prometheusProgram(name) {
  return onPath(name) ?? fetched(name) ?? (await fetchBoth(name));
}

/** What a test says that is skipped for want of it. */
export const PROMETHEUS_MISSING =
  'Prometheus and promtool are not on the PATH, and apt-get cannot fetch them: install the package prometheus of Debian or Ubuntu, or put both programs on the PATH.';

/** Both are programs that need no libraries; promtool lies beside the other in the package. */
function fetched(name) {
  const file = join(CACHE, 'tree', 'usr', 'bin', name);
  return existsSync(file) ? file : undefined;
}

async function fetchBoth(name) {
  if (onPath('apt-get') === undefined || onPath('dpkg-deb') === undefined) return undefined;
  const place = dirname(CACHE);
  mkdirSync(place, { recursive: true });
  return withLock(place, async () => {
    if (fetched(name) === undefined) await fetchWithApt('prometheus', ['prometheus'], CACHE);
    return fetched(name);
  });
}
