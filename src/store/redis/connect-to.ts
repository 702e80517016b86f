import { Connection } from './connection.ts';
import { isRefusal, toStoreError } from './errors.ts';
import { baseOf } from './keys.ts';
import { requireLayout } from './migrate.ts';
import { requireRights } from './rights.ts';
import { Scripts } from './scripts.ts';
import { askServer, requireServer, warningsOf } from './server.ts';
import { placeOf, type RedisAddress } from './url.ts';

/** A connection to a server that can have the store, as a cluster's where it is one. Rejects with a LongshoreError. */
export async function connectTo(address: RedisAddress): Promise<Connected> {
  const base = baseOf(address.prefix);
  const connection = await Connection.open(address, base);
  const send = async (command: readonly string[]) => asText(await connection.send(command));
  try {
    const scripts = new Scripts(connection, {
      base,
      instance: 'open',
      place: placeOf(address),
      hear: () => {},
    });
    const facts = await askServer(send).catch(async (error: unknown) => {
      if (isRefusal(error)) await requireRights(scripts, { send, address });
      throw error;
    });
    requireServer(facts, address);
    if (facts.isCluster && !address.cluster) {
      await connection.close();
      return await connectTo({ ...address, cluster: true });
    }
    await requireRights(scripts, { send, address });
    await requireLayout({ send, address });
    return { connection, address, warnings: warningsOf(facts, address) };
  } catch (error) {
    await connection.close();
    throw toStoreError(error, address);
  }
}

export interface Connected {
  readonly connection: Connection;
  readonly address: RedisAddress;
  readonly warnings: readonly string[];
}

/** Replies as text where the store's own scripts are not concerned. */
export function asText(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? reply.map(asText) : reply;
}
