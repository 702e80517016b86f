/** Starts PostgreSQL for tests and benches. */
import { execFile } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPostgresContainer } from './docker.mjs';
import { Guard } from './guard.mjs';
import { postgresPrograms } from './postgres-programs.mjs';
import { Server } from './server.mjs';
import { isOpen, temporaryFolder, unprivilegedUser } from './unprivileged.mjs';

const run = promisify(execFile);

/** More than all test files together open; a time zone with odd minutes, since days must not depend on it. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 300,
  max_prepared_transactions: 10,
  timezone: 'Asia/Kathmandu',
};

/** What tests test is not whether a disk keeps its promise. */
const QUICK = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  shared_buffers: '128MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '1h',
};

/** As an installation for production has it, as far as that does not depend on the machine. */
const DURABLE = { shared_buffers: '256MB', max_wal_size: '4GB' };

/**
 * @param {object} [options]
 * @param {boolean} [options.durable] with fsync, for benches and tests of power cuts; default false
 * @param {number} [options.major] 12 to 18, fetched where it is missing; default: the one of the packages
 * @param {Readonly<Record<string, string | number>>} [options.settings] further ones, as in postgresql.conf
 * @param {number} [options.port] default: a free one
 * @returns {Promise<Server>} its user is `postgres`, without a password; throws where there is no PostgreSQL
 */
export async function startPostgres({ durable = false, major, settings = {}, port } = {}) {
  const all = { ...SETTINGS, ...(durable ? DURABLE : QUICK), ...settings };
  const programs = await postgresPrograms(major);
  if (programs === undefined) return startPostgresContainer(major ?? 18, all, port);
  const user = unprivilegedUser();
  const copied = user !== undefined && !isOpen(programs.folder);
  // Making a schema makes a hundred files, which takes 10 ms in memory, and 200 ms on a disk that others flush. Programs
  // cannot be run there on every system.
  const folder = temporaryFolder('longshore-postgres-', user, { inMemory: !durable && !copied });
  const guard = new Guard(folder);
  try {
    const bin = copied ? copy(programs.folder, folder) : programs.folder;
    await makeCluster({ bin, major: programs.major, data: join(folder, 'data'), user });
    return await Server.start(plan({ bin, folder, user, guard, settings: all }), port);
  } catch (error) {
    guard.abandon();
    throw error;
  }
}

/** Programs in a folder that the server's user may not enter are copied to one of its own. */
function copy(bin, folder) {
  cpSync(join(bin, '..'), join(folder, 'programs'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'programs', 'bin');
}

/**
 * Text is ordered as people order it wherever the version can do that by default, for a store must not rely on bytes
 * that it did not ask for.
 */
async function makeCluster({ bin, major, data, user }) {
  const fixed = ['-D', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'];
  const orders = [
    ...(major >= 15 ? [['--locale=C', '--locale-provider=icu', '--icu-locale=en']] : []),
    ['--no-locale'],
  ];
  for (const [index, order] of orders.entries()) {
    try {
      await run(join(bin, 'initdb'), [...fixed, ...order], { cwd: join(data, '..'), ...user });
      return;
    } catch (error) {
      if (index === orders.length - 1) throw new Error(`initdb failed: ${error.stderr || error.message}`);
    }
  }
}

/** @returns {import('./server.mjs').Plan} */
function plan({ bin, folder, user, guard, settings }) {
  const data = join(folder, 'data');
  const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    name: 'PostgreSQL',
    folder,
    user,
    guard,
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    command: (port) => ({ file: join(bin, 'postgres'), args: ['-D', data, '-p', String(port), ...given] }),
    isReady: (_, pid) => isReady(join(data, 'postmaster.pid'), pid),
    endSignal: 'SIGINT',
    dropSignal: 'SIGQUIT',
  };
}

/**
 * The first line is the server's number, the eighth says how far it is, as pg_ctl reads them. One that was killed
 * leaves its file.
 * @param {string} file
 * @param {number | undefined} pid
 */
function isReady(file, pid) {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
