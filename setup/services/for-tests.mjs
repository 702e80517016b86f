/** The servers of one run of tests: those the environment names, or some that last as long as the run. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { startOperaton, startPostgres, startRedis } from './index.mjs';

/** `variable`: set by the user to a server's URL, or to `none`; set by `npm test` for the tests. `asked`: every test that needs the server asks there. */
const KINDS = {
  postgres: {
    name: 'PostgreSQL',
    variable: 'LONGSHORE_TEST_POSTGRES',
    start: () => startPostgres(majorWanted()),
    asked: 'test/servers.ts',
  },
  redis: {
    name: 'Redis',
    variable: 'LONGSHORE_TEST_REDIS',
    start: () => startRedis(),
    asked: 'test/servers.ts',
  },
  operaton: {
    name: 'Operaton',
    variable: 'LONGSHORE_TEST_OPERATON',
    start: () => startOperaton(),
    asked: 'test/connectors/operaton/server.ts',
  },
};

/** The kinds that are no stores: STORES says nothing about them. */
const ENGINES = ['operaton'];

/**
 * Starts what the files may need. A server that cannot be had is said at once and again by `stop`, and its tests are
 * skipped; continuous integration has no use for a run that tests less, so there it is an error.
 * @param {string[]} files
 * @param {string} root
 * @returns {Promise<{ env: Record<string, string>, stop: () => Promise<void> }>}
 */
export async function servicesForTests(files, root) {
  const isAsked = (asked) => files.some((file) => imports(resolve(root, file), resolve(root, asked)));
  const kinds = Object.keys(KINDS).filter((kind) => isAsked(KINDS[kind].asked));
  const found = await Promise.all(kinds.filter(isPicked).map((kind) => findServer(kind)));
  const stop = async () => {
    await Promise.all(found.map(({ server }) => server?.stop()));
    for (const { missing } of found)
      if (missing !== undefined) process.stderr.write(`npm test: ${missing}\n`);
  };
  for (const { missing } of found) if (missing !== undefined) process.stderr.write(`npm test: ${missing}\n`);
  if (process.env.CI && found.some(({ missing }) => missing !== undefined)) {
    await Promise.all(found.map(({ server }) => server?.stop()));
    throw new Error('npm test: CI is set, so no test may be skipped for want of a server.');
  }
  const env = Object.fromEntries(found.map(({ variable, url }) => [variable, url ?? 'none']));
  return { env, stop };
}

/**
 * @param {'postgres' | 'redis' | 'operaton'} kind
 * @returns {Promise<{ variable: string, url?: string, server?: import('./server.mjs').Server, missing?: string }>}
 *   `server` where it was started here
 */
export async function findServer(kind) {
  const { name, variable, start } = KINDS[kind];
  const given = process.env[variable] ?? '';
  const skipped = `its tests are skipped. Set ${variable} to the URL of a server.`;
  if (given === 'none') return { variable, missing: `${variable} is "none": ${skipped}` };
  if (given !== '' && !(kind === 'postgres' && process.env.LONGSHORE_POSTGRES_MAJOR))
    return { variable, url: given };
  try {
    const server = await start();
    return { variable, url: server.url, server };
  } catch (error) {
    return { variable, missing: `${name} could not be started; ${skipped}\n${error.message.trimEnd()}` };
  }
}

/** Whether STORES (comma-separated) leaves the tests of this store in. @param {string} kind */
export function isPicked(kind) {
  const stores = process.env.STORES ?? '';
  return ENGINES.includes(kind) || stores === '' || stores.split(',').includes(kind);
}

function majorWanted() {
  const major = process.env.LONGSHORE_POSTGRES_MAJOR;
  return major ? { major: Number(major) } : {};
}

/** Whether a test file reaches another one by its imports, those of types included. */
function imports(file, wanted, seen = new Set()) {
  if (file === wanted) return true;
  if (seen.has(file)) return false;
  seen.add(file);
  return specifiers(file).some((specifier) => imports(resolve(dirname(file), specifier), wanted, seen));
}

/** Sources are left out: no test is asked for from there. */
function specifiers(file) {
  try {
    const found = readFileSync(file, 'utf8').matchAll(/(?:from|import|import\()\s*'(\.[^']*\.ts)'/g);
    return [...found].map(([, specifier]) => specifier).filter((specifier) => !specifier.includes('/src/'));
  } catch {
    return [];
  }
}
