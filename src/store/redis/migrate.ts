import { LongshoreError } from '../../core/errors.ts';
import type { MigrationReport } from '../store.ts';
import type { Send } from './server.ts';
import { placeOf, type RedisAddress } from './url.ts';

/**
 * The layout's versions: how keys are named and records are written. The version a store has stands in the field
 * `layout` of the hash `{prefix}:meta`. In Redis a new layout needs no preparation, only its number.
 */
const LAYOUTS = [{ version: 1, name: 'first layout' }] as const satisfies readonly Layout[];

const LAYOUT = LAYOUTS[LAYOUTS.length - 1] as Layout;

interface Layout {
  readonly version: number;
  readonly name: string;
}

/** Where the layout is, and what messages call the place. */
export interface LayoutOptions {
  readonly send: Send;
  readonly address: RedisAddress;
}

/**
 * Makes sure that this version can use the store. A new store is made at once: unlike a database with tables there is
 * nothing to create, so a step of its own would protect nobody. Throws STORE_NEWER, STORE_OUTDATED, STORE_CORRUPT,
 * STORE_URL_INVALID.
 */
export async function requireLayout(options: LayoutOptions): Promise<void> {
  const version = (await layoutVersion(options)) || (await begin(options));
  if (version === LAYOUT.version) return;
  const place = nameOf(options.address);
  const message = `${place} has layout ${version}; this version of Longshore uses layout ${LAYOUT.version}. Stop all workers and run longshore migrate.`;
  throw new LongshoreError('STORE_OUTDATED', message, { details: { version, known: LAYOUT.version } });
}

/** The layout version of the store; 0 for a new one. Throws STORE_NEWER, STORE_CORRUPT, STORE_URL_INVALID. */
export async function layoutVersion({ send, address }: LayoutOptions): Promise<number> {
  const value = await readLayout(send, address);
  if (value === null) return 0;
  const version = Number(value);
  const place = nameOf(address);
  if (!Number.isInteger(version) || version < 1) {
    const message = `${place} has no layout version but '${value}' in the hash {${address.prefix}}:meta. Restore a backup, or use another prefix.`;
    throw new LongshoreError('STORE_CORRUPT', message, { details: { value } });
  }
  if (version > LAYOUT.version) {
    const message = `${place} has layout ${version}; this version of Longshore knows layouts up to ${LAYOUT.version}. Install the newer Longshore that wrote it, or restore a backup.`;
    throw new LongshoreError('STORE_NEWER', message, { details: { version, known: LAYOUT.version } });
  }
  return version;
}

/** Safe when many processes do it at once: one of them sets the version, and it is the same. */
export async function migrate(
  options: LayoutOptions,
  { dryRun }: { readonly dryRun: boolean },
): Promise<MigrationReport> {
  const from = await layoutVersion(options);
  const due = LAYOUTS.filter(({ version }) => version > from);
  if (from === 0 && !dryRun) await begin(options);
  return { from, to: LAYOUT.version, steps: due.map((step) => ({ ...step, applied: !dryRun })) };
}

/** Writes the version of a new store, unless another process was faster; the version it has then. */
async function begin(options: LayoutOptions): Promise<number> {
  const { send, address } = options;
  await send(['HSETNX', metaKey(address), 'layout', String(LAYOUT.version)]);
  return layoutVersion(options);
}

async function readLayout(send: Send, address: RedisAddress): Promise<string | null> {
  try {
    return (await send(['HGET', metaKey(address), 'layout'])) as string | null;
  } catch (error) {
    if (!/WRONGTYPE/.test(String(error))) throw error;
    const message = `${nameOf(address)} is no store of Longshore: another program has a key {${address.prefix}}:meta there. Use another prefix.`;
    throw new LongshoreError('STORE_URL_INVALID', message, {
      cause: error,
      details: { prefix: address.prefix },
    });
  }
}

function metaKey({ prefix }: RedisAddress): string {
  return `{${prefix}}:meta`;
}

function nameOf(address: RedisAddress): string {
  return `The store with prefix '${address.prefix}' on Redis at ${placeOf(address)}`;
}
