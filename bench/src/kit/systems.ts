import { existsSync, readFileSync } from 'node:fs';
import { VERSION } from '../longshore.ts';
import { neighbour } from '../neighbours.ts';
import type { ServerRecord, StoreKind } from '../site.ts';
import { installCelery } from './celery.ts';
import type { SystemRecord } from './document.ts';
import { readyTemporal } from './temporal.ts';
import type { TrialContext } from './trial.ts';

/** What is measured, by name; in brackets what differs of one system. Drivers of others are programs in bench/rivals. */
export interface SystemEntry {
  readonly stores: readonly StoreKind[];
  /** Of a program in src/programs, or the file in bench/rivals. */
  readonly program: string;
  readonly rival: boolean;
  /** Whether it can run handlers in threads and processes of its own. */
  readonly hosts?: true;
  /** Of the package whose version is told; null: Longshore's own. */
  readonly package: string | null;
  readonly keeps: boolean;
  readonly retention: string;
  /** Where it is not that of the store. */
  readonly durability?: string;
  /** Makes what it needs besides bench/rivals and resolves to its version. Throws `Skipped` where that cannot be. */
  readonly ready?: (context: TrialContext) => Promise<string>;
}

const KEPT = 'Finished jobs are kept, up to a million and seven days.';
const DELETED = 'Finished jobs are deleted as they end.';
const rival = (store: StoreKind, name: string, retention: string, keeps = true): SystemEntry => ({
  stores: [store],
  program: name,
  rival: true,
  package: name,
  keeps,
  retention,
});
const ALL: readonly StoreKind[] = ['memory', 'sqlite', 'postgres', 'redis'];
const OWN = { stores: ALL, program: 'agent-longshore', rival: false, package: null } as const;

export const SYSTEMS: Readonly<Record<string, SystemEntry>> = {
  longshore: { ...OWN, keeps: true, retention: KEPT, hosts: true },
  'longshore, deleting': { ...OWN, keeps: false, retention: DELETED },
  'hand-written loop': {
    ...OWN,
    stores: ['sqlite', 'postgres', 'redis'],
    program: 'agent-loop',
    keeps: true,
    retention: 'Finished jobs are kept. Nothing but a loop: no leases that expire, no retries, no events.',
  },
  'graphile-worker': rival('postgres', 'graphile-worker', `${DELETED} That cannot be changed.`, false),
  'pg-boss': rival('postgres', 'pg-boss', 'Finished jobs are kept for seven days in the same table.'),
  dbos: {
    ...rival('postgres', 'dbos', 'Finished workflows are kept for good, with the result of each.'),
    package: '@dbos-inc/dbos-sdk',
  },
  'bullmq on postgres': { ...rival('postgres', 'bullmq-postgres', KEPT), package: 'bullmq' },
  bullmq: { ...rival('redis', 'bullmq', KEPT), hosts: true },
  'bullmq, deleting': { ...rival('redis', 'bullmq', DELETED, false) },
  celery: {
    ...rival(
      'redis',
      'celery',
      'Messages are gone when acknowledged; results are ignored, as it advises.',
      false,
    ),
    package: null,
    ready: (context) => installCelery(context),
  },
  temporal: {
    stores: ['memory'],
    ready: readyTemporal,
    program: 'temporal',
    rival: true,
    package: null,
    keeps: true,
    durability: 'Its development server with a file of SQLite.',
    retention: 'A workflow of one activity each; the server keeps closed workflows for a day.',
  },
};

/** What is recorded of a system. `server` is null where it has none. */
export function recordOf(name: string, server: ServerRecord | null, version: string | null): SystemRecord {
  const { retention, durability, package: packageName } = SYSTEMS[name] as SystemEntry;
  return {
    name,
    version: version ?? (packageName === null ? VERSION : (versionOf(packageName) ?? 'unknown')),
    durability: durability ?? durabilityOf(server),
    retention,
  };
}

function durabilityOf(server: ServerRecord | null): string {
  if (server === null) return 'As the store in the process: SQLite commits with fsync, memory keeps nothing.';
  if (server.kind === 'postgres')
    return server.durable
      ? 'Acknowledged means on the disk: fsync and synchronous_commit are on.'
      : 'Not durable: fsync or synchronous_commit is off.';
  const fsync = server.settings.appendfsync ?? 'unknown';
  if (!server.durable) return 'Not durable: no append-only file.';
  return fsync === 'always'
    ? 'Acknowledged means on the disk: appendfsync always.'
    : 'Append-only file, fsync each second: a crash of the machine loses up to a second.';
}

function versionOf(name: string): string | null {
  const file = neighbour(`bench/rivals/node_modules/${name}/package.json`);
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
