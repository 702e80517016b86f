/** Where the server program of Redis is: on this machine, or fetched from the system's package archive. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from '../lock.mjs';
import { fetchWithApt } from './apt.mjs';
import { onPath } from './on-path.mjs';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/services/redis', import.meta.url));

/** The program itself lies in the second one. */
const PACKAGES = ['redis-server', 'redis-tools'];

/** @returns {Promise<string | undefined>} */
export async function redisProgram() {
  return onPath('redis-server', 'valkey-server') ?? fetched() ?? (await fetchProgram());
}

function fetched() {
  const file = join(CACHE, 'redis-server');
  return existsSync(file) ? file : undefined;
}

/** @returns {Promise<string | undefined>} */
async function fetchProgram() {
  if (onPath('apt-get') === undefined || onPath('dpkg-deb') === undefined) return undefined;
  const place = dirname(CACHE);
  mkdirSync(place, { recursive: true });
  return withLock(place, async () => fetched() ?? (await fetchWithApt('redis-server', PACKAGES, CACHE)));
}
