import { LongshoreError } from '../../core/errors.ts';
import { isReply } from './errors.ts';
import { placeOf, type RedisAddress } from './url.ts';

/** Sends one command as it stands and resolves to the reply, text as strings. */
export type Send = (command: readonly string[]) => Promise<unknown>;

/** What a server says of itself. */
export interface ServerFacts {
  /** `redis` or `valkey`. */
  readonly product: string;
  /** Of the Redis it is compatible with. */
  readonly version: string;
  readonly isReplica: boolean;
  readonly isCluster: boolean;
  readonly isLoading: boolean;
  /** By the append-only file. */
  readonly appends: boolean;
  /** How often the append-only file is forced to the disk; null when the server does not allow to look. */
  readonly fsync: string | null;
  /** Snapshot intervals; null when the server does not allow to look. */
  readonly snapshots: string | null;
  readonly memoryUsedBytes: number;
  /** 0 = no bound. */
  readonly memoryMaxBytes: number;
  readonly evictionPolicy: string;
}

/** The oldest whose scripts may say that they run when memory is full (https://redis.io/docs/latest/develop/programmability/eval-intro/). */
const MAJOR_MIN = 7;

export async function askServer(send: Send): Promise<ServerFacts> {
  const info = parseInfo(String(await send(['INFO'])));
  return {
    product: info.has('valkey_version') ? 'valkey' : 'redis',
    version: info.get('redis_version') ?? '0',
    isReplica: info.get('role') === 'slave',
    isCluster: info.get('cluster_enabled') === '1',
    isLoading: info.get('loading') === '1',
    appends: info.get('aof_enabled') === '1',
    fsync: await setting(send, 'appendfsync'),
    snapshots: await setting(send, 'save'),
    memoryUsedBytes: Number(info.get('used_memory') ?? 0),
    memoryMaxBytes: Number(info.get('maxmemory') ?? 0),
    evictionPolicy: info.get('maxmemory_policy') ?? 'unknown',
  };
}

/** Throws STORE_UNAVAILABLE, STORE_READ_ONLY, STORE_URL_INVALID where no store can be on this server. */
export function requireServer(facts: ServerFacts, address: RedisAddress): void {
  const place = placeOf(address);
  const details = { host: address.host, port: address.port, version: facts.version };
  if (Number(facts.version.split('.')[0]) < MAJOR_MIN) {
    const message = `Redis at ${place} is version ${facts.version}; Longshore needs ${MAJOR_MIN}.0 or later, or any Valkey. Update the server.`;
    throw new LongshoreError('STORE_UNAVAILABLE', message, { details });
  }
  if (facts.isReplica) {
    const message = `Redis at ${place} is a replica, which takes no writes. Name the primary in the store URL, or promote this one.`;
    throw new LongshoreError('STORE_READ_ONLY', message, { details });
  }
  if (facts.isLoading) {
    const message = `Redis at ${place} is still loading its data. Try again in a moment.`;
    throw new LongshoreError('STORE_UNAVAILABLE', message, { details });
  }
}

/** What may lose acknowledged jobs without an error; to be told once, when a store is opened. */
export function warningsOf(facts: ServerFacts, address: RedisAddress): string[] {
  const place = placeOf(address);
  const warnings: string[] = [];
  if (keepsNothing(facts)) {
    warnings.push(
      `Redis at ${place} keeps nothing on its disk (appendonly is no, save is empty): its jobs are gone when it stops. Set appendonly yes.`,
    );
  }
  if (evicts(facts)) {
    warnings.push(
      `Redis at ${place} deletes keys when its memory is full (maxmemory-policy ${facts.evictionPolicy}), jobs among them. Set maxmemory-policy noeviction.`,
    );
  }
  return warnings;
}

/** Neither snapshots nor an append-only file, as far as one may look. */
export function keepsNothing({ appends, snapshots }: ServerFacts): boolean {
  return !appends && snapshots === '';
}

/** A policy matters only once memory has a bound, but the bound may be set at any time. */
export function evicts({ evictionPolicy }: ServerFacts): boolean {
  return evictionPolicy !== 'noeviction' && evictionPolicy !== 'unknown';
}

/** Lines of `name:value`, under headings that start with #. */
function parseInfo(text: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) facts.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return facts;
}

/** Null where the server does not let us look: CONFIG is forbidden on many that others run. */
async function setting(send: Send, name: string): Promise<string | null> {
  try {
    const reply = await send(['CONFIG', 'GET', name]);
    // A list of name and value, or with RESP3 a map.
    const value = Array.isArray(reply) ? reply[1] : (reply as Record<string, unknown> | null)?.[name];
    return typeof value === 'string' ? value : null;
  } catch (error) {
    if (isReply(error)) return null;
    throw error;
  }
}
