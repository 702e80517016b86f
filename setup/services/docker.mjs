/** The last resort for a server: a container, where a Docker daemon answers. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.mjs';
import { Guard } from './guard.mjs';
import { onPath } from './on-path.mjs';
import { temporaryFolder } from './unprivileged.mjs';

const run = promisify(execFile);

const DAEMON_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** @param {number} major @param {Record<string, string | number>} settings @param {number | undefined} port */
export function startPostgresContainer(major, settings, port) {
  // Inside a container the server must listen for the outside; the port is published on 127.0.0.1 only.
  const { listen_addresses: _, unix_socket_directories: __, ...rest } = settings;
  return startContainer({
    name: 'PostgreSQL',
    image: `postgres:${major}`,
    port,
    inside: 5432,
    flags: ['--env', 'POSTGRES_HOST_AUTH_METHOD=trust'],
    args: Object.entries(rest).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    // By TCP: while the image sets the database up, the server listens on its socket only.
    probe: ['pg_isready', '--host=127.0.0.1', '--username=postgres'],
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  });
}

/** @param {readonly string[]} args @param {number | undefined} port */
export function startRedisContainer(args, port) {
  return startContainer({
    name: 'Redis',
    image: 'redis:7',
    port,
    inside: 6379,
    flags: [],
    args: ['redis-server', ...args],
    probe: ['redis-cli', 'ping'],
    url: (port) => `redis://127.0.0.1:${port}`,
  });
}

async function startContainer({ name, image, port, inside, flags, args, probe, url }) {
  await requireDaemon(name);
  const container = `longshore-${randomUUID()}`;
  const folder = temporaryFolder('longshore-docker-', undefined);
  const guard = new Guard(folder);
  guard.watchContainer(container);
  const outside = port ?? (await freePort());
  const stop = async () => {
    await docker('rm', '--force', '--volumes', container).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
    guard.dismiss();
  };
  const ready = () => untilReady(name, container, probe);
  try {
    const publish = `127.0.0.1:${outside}:${inside}`;
    await docker('run', '--detach', '--name', container, '--publish', publish, ...flags, image, ...args);
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: url(outside),
    port: outside,
    /** The server's process is the container's; there is none to signal from here. */
    pid: undefined,
    folder,
    log: '',
    kill: () => docker('kill', container),
    restart: async () => {
      await docker('restart', container);
      await ready();
    },
    pause: () => docker('pause', container),
    resume: () => docker('unpause', container),
    stop,
    unref: () => {},
  };
}

async function requireDaemon(name) {
  const error = await (onPath('docker') === undefined
    ? 'there is no docker'
    : run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: DAEMON_TIMEOUT_MS }).then(
        () => undefined,
        () => 'no Docker daemon answers',
      ));
  if (error !== undefined) throw new Error(`There is no ${name} on this machine, and ${error}.`);
}

async function untilReady(name, container, probe) {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (
    !(await docker('exec', container, ...probe).then(
      () => true,
      () => false,
    ))
  ) {
    if (performance.now() > deadline) throw new Error(`${name} did not start in its container.`);
    await delay(POLL_MS);
  }
}

async function docker(...args) {
  await run('docker', args);
}
