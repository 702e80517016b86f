import type { DoctorOptions, Finding, MigrationReport } from '../store.ts';
import { asText } from './connect-to.ts';
import { Connection } from './connection.ts';
import { doctor } from './doctor.ts';
import { toStoreError } from './errors.ts';
import { baseOf } from './keys.ts';
import { migrate } from './migrate.ts';
import { openStore } from './open.ts';
import { Scripts } from './scripts.ts';
import type { Send } from './server.ts';
import { parseUrl, placeOf, type RedisAddress } from './url.ts';

/** What is done to a store from outside, on a connection that is closed afterwards. */

export function migrateStore(url: string, options: { readonly dryRun: boolean }): Promise<MigrationReport> {
  return withServer(url, (address, send) => migrate({ address, send }, options));
}

export async function examineStore(url: string, options: DoctorOptions): Promise<Finding[]> {
  const address = parseUrl(url);
  const base = baseOf(address.prefix);
  let connection: Connection | null = null;
  const send: Send = async (command) => {
    connection ??= await Connection.open(address, base);
    return asText(await connection.send(command));
  };
  const scripts = () =>
    new Scripts(connection as Connection, {
      base,
      instance: 'doctor',
      place: placeOf(address),
      hear: () => {},
    });
  try {
    return await doctor({ address, send, scripts, openStore: () => openStore(url, {}) }, options);
  } finally {
    await (connection as Connection | null)?.close();
  }
}

async function withServer<Result>(
  url: string,
  errand: (address: RedisAddress, send: Send) => Promise<Result>,
): Promise<Result> {
  const address = parseUrl(url);
  const connection = await Connection.open(address, baseOf(address.prefix));
  try {
    return await errand(address, async (command) => asText(await connection.send(command)));
  } catch (error) {
    throw toStoreError(error, address);
  } finally {
    await connection.close();
  }
}
