import { statSync } from 'node:fs';
import type { Finding } from '../store.ts';
import type { Connection } from './connection.ts';
import { fileExists, openToRead } from './database.ts';
import { toStoreError } from './errors.ts';
import { layoutVersion, plan } from './migrate.ts';

/** Looks for what may be wrong with a database file, without changing anything. */
export function doctor(file: string): Finding[] {
  if (!fileExists(file)) {
    return [
      bad(
        'file',
        `${file} does not exist.`,
        'Check the path; the file is made when a program first opens the store.',
      ),
    ];
  }
  let db: Connection;
  try {
    db = openToRead(file);
  } catch (error) {
    return [bad('file', toStoreError(error, file).message, 'Check the path and its permissions.')];
  }
  try {
    return examine(db);
  } finally {
    db.close();
  }
}

type Check = (db: Connection) => Omit<Finding, 'check'>;

const CHECKS: readonly (readonly [string, Check])[] = [
  ['log', checkLog],
  ['integrity', checkIntegrity],
  ['leases', checkLeases],
  ['workers', checkWorkers],
  ['dead letters', checkFailed],
];

function examine(db: Connection): Finding[] {
  const layout = attempt('layout', () => checkLayout(db), db.file);
  if (!layout.ok) return [layout];
  return [layout, ...CHECKS.map(([check, look]) => attempt(check, () => look(db), db.file))];
}

function attempt(check: string, look: () => Omit<Finding, 'check'>, file: string): Finding {
  try {
    return { check, ...look() };
  } catch (error) {
    const { message } = toStoreError(error, file);
    return bad(check, message, 'See the message.');
  }
}

function checkLayout(db: Connection): Omit<Finding, 'check'> {
  const { from, to } = plan(layoutVersion(db));
  const detail = `${db.file} has layout ${from}; this version of Longshore uses ${to}.`;
  return from === to
    ? good(detail)
    : { ok: false, detail, remedy: 'Run longshore migrate, or just open the store.' };
}

const LOG_BYTES_MAX = 256 * 1_024 * 1_024;

function checkLog(db: Connection): Omit<Finding, 'check'> {
  const mode = db.get<{ journal_mode: string }>('PRAGMA journal_mode')?.journal_mode;
  if (mode !== 'wal') {
    return {
      ok: false,
      detail: `The journal mode is ${mode}, not wal.`,
      remedy: 'Open the store once, which sets it.',
    };
  }
  const bytes = statSync(`${db.file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const detail = `The write-ahead log takes ${Math.ceil(bytes / 1_024)} KB.`;
  if (bytes <= LOG_BYTES_MAX) return good(detail);
  return {
    ok: false,
    detail,
    remedy: 'Some program holds a read transaction open for long, so that the log cannot be reset. End it.',
  };
}

function checkIntegrity(db: Connection): Omit<Finding, 'check'> {
  const faults = db.all<{ quick_check: string }>('PRAGMA quick_check(5)').map((row) => row.quick_check);
  if (faults.length === 1 && faults[0] === 'ok') return good('The file is sound.');
  return {
    ok: false,
    detail: faults.join('; '),
    remedy: "Keep a copy of the file and its -wal file, then restore a backup or use sqlite3's .recover.",
  };
}

function checkLeases(db: Connection): Omit<Finding, 'check'> {
  const now = Date.now();
  const held = db.get<{ live: number; expired: number }>(
    'SELECT coalesce(sum(live), 0) AS live, coalesce(sum(live) FILTER (WHERE expires_at <= ?), 0) AS expired FROM lease',
    now,
  ) ?? { live: 0, expired: 0 };
  const detail = `${held.live} jobs are running, ${held.expired} of them with an expired lease.`;
  if (held.expired === 0) return good(detail);
  return { ok: false, detail, remedy: 'A worker that is started takes them back.' };
}

function checkWorkers(db: Connection): Omit<Finding, 'check'> {
  const { alive, ready } = db.get<{ alive: number; ready: number }>(
    `SELECT (SELECT count(*) FROM worker WHERE seen_at + lease_ms > ?) AS alive,
       (SELECT count(*) FROM job WHERE state = 'ready' AND turn = 0) AS ready`,
    Date.now(),
  ) ?? { alive: 0, ready: 0 };
  const detail = `${alive} workers are alive, ${ready} jobs are ready.`;
  if (alive > 0 || ready === 0) return good(detail);
  return { ok: false, detail, remedy: 'Start a worker.' };
}

function checkFailed(db: Connection): Omit<Finding, 'check'> {
  const failed =
    db.get<{ failed: number }>(
      `SELECT count(*) AS failed FROM job INDEXED BY job_finished
       WHERE finished_at IS NOT NULL AND state = 'failed'`,
    )?.failed ?? 0;
  const detail = `${failed} jobs are dead letters.`;
  if (failed === 0) return good(detail);
  return {
    ok: false,
    detail,
    remedy: 'Look at them with longshore jobs --state failed, then redrive or remove them.',
  };
}

function good(detail: string): Omit<Finding, 'check'> {
  return { ok: true, detail, remedy: null };
}

function bad(check: string, detail: string, remedy: string): Finding {
  return { check, ok: false, detail, remedy };
}
