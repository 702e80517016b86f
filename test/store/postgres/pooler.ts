import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Guard } from '../../../setup/services/guard.mjs';
import { onPath } from '../../../setup/services/on-path.mjs';
import { Server } from '../../../setup/services/server.mjs';
import { temporaryFolder, unprivilegedUser } from '../../../setup/services/unprivileged.mjs';

/** Why there can be no PgBouncer here; undefined where there can. Nothing installs one. */
export function missingPooler(): string | undefined {
  return pooler() === undefined ? 'there is no pgbouncer on the PATH' : undefined;
}

/**
 * A real PgBouncer in transaction mode, in front of the server at `url`. It has few connections to the server, so that
 * clients get each other's.
 */
export async function startPooler(url: string): Promise<Server> {
  const file = pooler();
  if (file === undefined) throw new Error(missingPooler());
  const { hostname, port: behind, username, password } = new URL(url);
  const login = `user=${username}${password === '' ? '' : ` password=${decodeURIComponent(password)}`}`;
  const user = unprivilegedUser();
  const folder = temporaryFolder('longshore-pgbouncer-', user);
  const guard = new Guard(folder);
  const settings = join(folder, 'settings');
  mkdirSync(settings);
  const fileFor = (port: number): string => {
    const path = join(settings, `${port}.ini`);
    writeFileSync(
      path,
      `[databases]
* = host=${hostname} port=${behind} ${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 6
max_client_conn = 500
`,
    );
    return path;
  };
  const change = (port: number): string => {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(port);
    return changed.href;
  };
  try {
    return await Server.start(
      {
        name: 'PgBouncer',
        folder,
        guard,
        user,
        url: change,
        command: (port) => ({ file, args: [fileFor(port)] }),
        isReady: listens,
        endSignal: 'SIGINT',
        dropSignal: 'SIGTERM',
      },
      undefined,
    );
  } catch (error) {
    guard.abandon();
    throw error;
  }
}

/** Packages for servers put it where only the administrator's PATH looks. */
function pooler(): string | undefined {
  return onPath('pgbouncer', '../sbin/pgbouncer');
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
