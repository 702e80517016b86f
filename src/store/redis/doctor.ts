import { counted } from '../../core/counted.ts';
import type { DoctorOptions, Finding, Store } from '../store.ts';
import { examineWholeness } from './doctor-store.ts';
import { toStoreError } from './errors.ts';
import { layoutVersion } from './migrate.ts';
import type { Scripts } from './scripts.ts';
import { askServer, evicts, keepsNothing, requireServer, type Send, type ServerFacts } from './server.ts';
import { placeOf, type RedisAddress } from './url.ts';

export interface Patient {
  readonly address: RedisAddress;
  readonly send: Send;
  readonly scripts: () => Scripts;
  /** Opens the store; not called where there is none yet, since that would make one. */
  readonly openStore: () => Promise<Store>;
}

/** Looks for what may be wrong with a server and the store on it. Changes nothing unless asked to repair. */
export async function doctor(
  { address, send, scripts, openStore }: Patient,
  options: DoctorOptions,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    const facts = await askServer(send);
    requireServer(facts, address);
    findings.push(...examineServer(facts, address));
    const layout = await layoutVersion({ send, address });
    findings.push({ check: 'layout', ...layoutLook(layout, address) });
    if (layout === 0) return findings;
    findings.push(...(await examineWholeness(scripts(), options)));
    // To ask a store whose keys are overwritten would set them aside.
    if (!findings.some(({ check, level, repaired }) => check === 'keys' && level === 'fault' && !repaired))
      findings.push(...(await examineStore(await openStore())));
  } catch (error) {
    const check = findings.length === 0 ? 'server' : 'store';
    findings.push({ check, level: 'fault', detail: toStoreError(error, address).message, remedy: null });
  }
  return findings;
}

type Look = Omit<Finding, 'check'>;

function examineServer(facts: ServerFacts, address: RedisAddress): Finding[] {
  const kind = facts.isCluster ? 'a node of a cluster' : 'a server of its own';
  const product = facts.product === 'valkey' ? 'Valkey, compatible with Redis' : 'Redis';
  return [
    { check: 'server', ...good(`${placeOf(address)} is ${product} ${facts.version}, ${kind}.`) },
    { check: 'persistence', ...persistence(facts) },
    { check: 'memory', ...memory(facts) },
    ...(facts.isCluster ? [{ check: 'cluster', ...cluster(address) }] : []),
  ];
}

function persistence(facts: ServerFacts): Look {
  const { appends, fsync, snapshots } = facts;
  if (keepsNothing(facts)) {
    return fault(
      'The server keeps nothing on its disk: appendonly is no, save is empty. All jobs are gone when it stops.',
      'Set appendonly yes, and appendfsync as much as a lost second is worth.',
    );
  }
  if (!appends && snapshots === null) {
    return note(
      'The server has no append-only file, and does not allow to look whether it makes snapshots.',
      'Ask who runs it what is lost when it stops.',
    );
  }
  if (!appends) {
    return note(
      `The server makes snapshots (save ${snapshots}) and no append-only file: what came after the last one is lost when it dies.`,
      'Set appendonly yes.',
    );
  }
  if (fsync === null) {
    return note(
      'The server has an append-only file, and does not allow to look how often it is forced to the disk.',
      'Ask who runs it what is lost when the machine dies.',
    );
  }
  if (fsync === 'always') return good('Every job is on the disk before it is acknowledged.');
  return note(
    fsync === 'everysec'
      ? 'The append-only file is forced to the disk once a second (appendfsync everysec): up to a second of acknowledged jobs may be lost when the machine dies.'
      : `The system decides when the append-only file is forced to the disk (appendfsync ${fsync}): half a minute of acknowledged jobs may be lost when the machine dies.`,
    'Set appendfsync always where that is too much; it costs speed.',
  );
}

const MEMORY_NEAR = 0.8;

function memory(facts: ServerFacts): Look {
  const { memoryUsedBytes: used, memoryMaxBytes: max, evictionPolicy } = facts;
  const usage = `${mebibytes(used)} of memory are used, ${max === 0 ? 'without a bound' : `of ${mebibytes(max)}`}`;
  if (evicts(facts)) {
    return fault(
      `${usage}; when it is full, the server deletes keys, and jobs with them (maxmemory-policy ${evictionPolicy}).`,
      'Set maxmemory-policy noeviction.',
    );
  }
  if (max === 0 || used < max * MEMORY_NEAR) return good(`${usage}.`);
  return note(
    `${usage}. When it is full, no job can be added.`,
    'Raise maxmemory, or keep fewer finished jobs: retention by bytes bounds what they take.',
  );
}

function cluster({ prefix }: RedisAddress): Look {
  return good(
    `All keys of the store have the hash tag {${prefix}}: one node holds the store. Several prefixes spread several stores.`,
  );
}

function layoutLook(version: number, { prefix }: RedisAddress): Look {
  if (version > 0) return good(`The store with prefix '${prefix}' has layout ${version}.`);
  return note(
    `There is no store with prefix '${prefix}' yet.`,
    'Check the prefix; a store is made when a program first opens it.',
  );
}

async function examineStore(store: Store): Promise<Finding[]> {
  try {
    const workers = await store.workers();
    const queues = await store.queues();
    const total = (state: 'ready' | 'failed') => queues.reduce((sum, { counts }) => sum + counts[state], 0);
    const alive = workers.filter((worker) => worker.alive).length;
    const stuck = workers.filter((worker) => !worker.alive).reduce((sum, { running }) => sum + running, 0);
    return [
      { check: 'leases', ...leases(stuck) },
      { check: 'workers', ...crew(alive, total('ready')) },
      { check: 'dead letters', ...deadLetters(total('failed')) },
    ];
  } finally {
    await store.close();
  }
}

function leases(stuck: number): Look {
  const detail = counted(
    stuck,
    'job is held by a worker that fell silent.',
    'jobs are held by workers that fell silent.',
  );
  return stuck === 0 ? good(detail) : note(detail, 'A worker that is started takes them back.');
}

function crew(alive: number, ready: number): Look {
  const detail = `${counted(alive, 'worker is', 'workers are')} alive, ${counted(ready, 'job is', 'jobs are')} ready.`;
  return alive > 0 || ready === 0 ? good(detail) : note(detail, 'Start a worker.');
}

function deadLetters(failed: number): Look {
  const detail = counted(failed, 'job is a dead letter.', 'jobs are dead letters.');
  if (failed === 0) return good(detail);
  return note(detail, 'Look at them with longshore jobs --state failed, then redrive or remove them.');
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function good(detail: string): Look {
  return { level: 'ok', detail, remedy: null };
}

function note(detail: string, remedy: string): Look {
  return { level: 'note', detail, remedy };
}

function fault(detail: string, remedy: string): Look {
  return { level: 'fault', detail, remedy };
}
