import { counted } from '../../core/counted.ts';
import type { DoctorOptions, Finding } from '../store.ts';
import { Connection } from './connection.ts';
import { fileExists, openForMigration, openToRead } from './database.ts';
import { AILMENTS, treat } from './doctor-jobs.ts';
import { toStoreError } from './errors.ts';
import { statSync } from './files.ts';
import { layoutVersion, migrate, plan } from './migrate.ts';

/** Looks for what may be wrong with a database file. Changes nothing unless asked to repair. */
export function doctor(file: string, { repair }: DoctorOptions): Finding[] {
  if (!fileExists(file)) {
    return [
      faultOf(
        'file',
        `${file} does not exist.`,
        'Check the path; the file is made when a program first opens the store.',
      ),
    ];
  }
  let db: Connection;
  try {
    db = repair ? openForMigration(file) : openToRead(file);
  } catch (error) {
    return [faultOf('file', toStoreError(error, file).message, 'Check the path and its permissions.')];
  }
  try {
    return examine(db, repair);
  } finally {
    db.close();
  }
}

type Look = Omit<Finding, 'check'>;
type Check = (db: Connection) => Look;

const CHECKS: readonly (readonly [string, Check])[] = [
  ['log', checkLog],
  ['integrity', checkIntegrity],
  ['tables', checkTables],
  ['leases', checkLeases],
  ['workers', checkWorkers],
  ['dead letters', checkFailed],
];

function examine(db: Connection, repair: boolean): Finding[] {
  const layout = attempt('layout', () => checkLayout(db), db.file);
  if (layout.level !== 'ok') return [layout];
  const jobs = AILMENTS.map((ailment) => attempt(ailment.check, () => treat(db, ailment, repair), db.file));
  return [layout, ...jobs, ...CHECKS.map(([check, look]) => attempt(check, () => look(db), db.file))];
}

function attempt(check: string, look: () => Look, file: string): Finding {
  try {
    return { check, ...look() };
  } catch (error) {
    const { message } = toStoreError(error, file);
    return { check, level: 'fault', detail: message, remedy: null };
  }
}

function checkLayout(db: Connection): Look {
  const { from, to } = plan(layoutVersion(db));
  const detail = `${db.file} has layout ${from}; this version of Longshore uses ${to}.`;
  return from === to ? good(detail) : fault(detail, 'Run longshore migrate, or just open the store.');
}

const LOG_BYTES_MAX = 256 * 1_024 * 1_024;

function checkLog(db: Connection): Look {
  const mode = db.get<{ journal_mode: string }>('PRAGMA journal_mode')?.journal_mode;
  if (mode !== 'wal')
    return fault(`The journal mode is ${mode}, not wal.`, 'Open the store once, which sets it.');
  const bytes = statSync(`${db.file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const detail = `The write-ahead log takes ${Math.ceil(bytes / 1_024)} KB.`;
  if (bytes <= LOG_BYTES_MAX) return good(detail);
  const remedy =
    'Some program holds a read transaction open for long, so that the log cannot be reset. End it.';
  return note(detail, remedy);
}

function checkIntegrity(db: Connection): Look {
  const faults = db.all<{ quick_check: string }>('PRAGMA quick_check(5)').map((row) => row.quick_check);
  if (faults.length === 1 && faults[0] === 'ok') return good('The file is sound.');
  return fault(
    faults.join('; '),
    "Keep a copy of the file and its -wal file, then restore a backup or use sqlite3's .recover.",
  );
}

const SCHEMA = `SELECT type || ' ' || name AS part, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`;

/** Whether every table and index is there and as the migrations make it; what users add besides is theirs. */
function checkTables(db: Connection): Look {
  const found = new Map(partsOf(db));
  const wrong = layoutParts().flatMap(([part, sql]) => {
    if (!found.has(part)) return [`${part} is missing`];
    return found.get(part) === sql ? [] : [`${part} was changed`];
  });
  if (wrong.length === 0) return good('All tables and indexes are there.');
  return fault(
    `${wrong.join(', ')}.`,
    'Keep a copy of the file and its -wal file, then restore a backup, or make it again as the migrations do.',
  );
}

function layoutParts(): [part: string, sql: string][] {
  const fresh = new Connection(':memory:');
  try {
    migrate(fresh);
    return partsOf(fresh);
  } finally {
    fresh.close();
  }
}

function partsOf(db: Connection): [part: string, sql: string][] {
  return db.all<{ part: string; sql: string }>(SCHEMA).map(({ part, sql }) => [part, sql]);
}

function checkLeases(db: Connection): Look {
  const now = Date.now();
  const held = db.get<{ live: number; expired: number }>(
    'SELECT coalesce(sum(live), 0) AS live, coalesce(sum(live) FILTER (WHERE expires_at <= ?), 0) AS expired FROM lease',
    now,
  ) ?? { live: 0, expired: 0 };
  const detail = `${counted(held.live, 'job is', 'jobs are')} running, ${held.expired} with an expired lease.`;
  if (held.expired === 0) return good(detail);
  return note(detail, 'A worker that is started takes them back.');
}

function checkWorkers(db: Connection): Look {
  const { alive, ready } = db.get<{ alive: number; ready: number }>(
    `SELECT (SELECT count(*) FROM worker WHERE seen_at + lease_ms > ?) AS alive,
       (SELECT count(*) FROM job WHERE state = 'ready' AND turn = 0) AS ready`,
    Date.now(),
  ) ?? { alive: 0, ready: 0 };
  const detail = `${counted(alive, 'worker is', 'workers are')} alive, ${counted(ready, 'job is', 'jobs are')} ready.`;
  if (alive > 0 || ready === 0) return good(detail);
  return note(detail, 'Start a worker.');
}

function checkFailed(db: Connection): Look {
  const failed =
    db.get<{ failed: number }>(
      `SELECT count(*) AS failed FROM job INDEXED BY job_finished
       WHERE finished_at IS NOT NULL AND state = 'failed'`,
    )?.failed ?? 0;
  const detail = counted(failed, 'job is a dead letter.', 'jobs are dead letters.');
  if (failed === 0) return good(detail);
  return note(detail, 'Look at them with longshore jobs --state failed, then redrive or remove them.');
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

function faultOf(check: string, detail: string, remedy: string): Finding {
  return { check, ...fault(detail, remedy) };
}
