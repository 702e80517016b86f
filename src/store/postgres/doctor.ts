import type { Finding } from '../store.ts';
import { changedMigrations, driftOf } from './drift.ts';
import { toStoreError, whereIs } from './errors.ts';
import { knownVersion, lookAt, SERVER_MIN, type ServerFacts, versionText } from './migrate.ts';
import { openSession, type Session } from './session.ts';
import { type Place, quoted } from './url.ts';

/** Looks for what may be wrong with a server and the schema on it, without changing anything. */
export async function examinePlace(place: Place, bounds: Bounds = BOUNDS): Promise<Finding[]> {
  let session: Session;
  try {
    session = await openSession(place, 0);
  } catch (error) {
    return [faultOf('server', error, place)];
  }
  try {
    return await examine(session, place, bounds);
  } finally {
    await session.close();
  }
}

/** When something counts as old or much. */
export interface Bounds {
  readonly snapshotMs: number;
  readonly clockMs: number;
  readonly deadRows: number;
}

const BOUNDS: Bounds = { snapshotMs: 3_600_000, clockMs: 1_000, deadRows: 100_000 };

type Look = Omit<Finding, 'check'>;

interface Patient {
  readonly session: Session;
  readonly place: Place;
  readonly facts: ServerFacts;
  readonly bounds: Bounds;
  /** Quoted. */
  readonly schema: string;
}

type Check = (patient: Patient) => Look | Promise<Look>;

const SERVER_CHECKS: readonly (readonly [string, Check])[] = [
  ['server', checkServer],
  ['pooler', checkPooler],
  ['durability', checkDurability],
  ['clock', checkClock],
  ['notifications', checkNotifications],
  ['snapshots', checkSnapshots],
  ['layout', checkLayout],
];

/** These need the tables. */
const SCHEMA_CHECKS: readonly (readonly [string, Check])[] = [
  ['tables', checkTables],
  ['vacuum', checkVacuum],
  ['history', checkHistory],
  ['leases', checkLeases],
  ['workers', checkWorkers],
  ['dead letters', checkFailed],
];

async function examine(session: Session, place: Place, bounds: Bounds): Promise<Finding[]> {
  let facts: ServerFacts;
  try {
    facts = await lookAt(session, place);
  } catch (error) {
    return [faultOf('server', error, place)];
  }
  const patient: Patient = { session, place, facts, bounds, schema: quoted(place.schema) };
  const findings: Finding[] = [];
  const run = async (checks: typeof SERVER_CHECKS): Promise<void> => {
    for (const [check, look] of checks) findings.push(await attempt(check, look, patient));
  };
  await run(SERVER_CHECKS);
  if (facts.version === knownVersion()) await run(SCHEMA_CHECKS);
  return findings;
}

async function attempt(check: string, look: Check, patient: Patient): Promise<Finding> {
  try {
    return { check, ...(await look(patient)) };
  } catch (error) {
    return faultOf(check, error, patient.place);
  }
}

function checkServer({ facts, place }: Patient): Look {
  const detail = `${whereIs(place)} is version ${versionText(facts.server)}, encoding ${facts.encoding}.`;
  if (facts.server < SERVER_MIN) return fault(detail, 'Upgrade the server: Longshore needs 12 or later.');
  if (facts.encoding !== 'UTF8')
    return fault(detail, "Make another database: CREATE DATABASE jobs ENCODING 'UTF8' TEMPLATE template0.");
  if (facts.readOnly)
    return fault(
      `${detail} It takes no writes: a replica, or default_transaction_read_only is on.`,
      'Connect to the primary.',
    );
  return good(detail);
}

function checkLayout({ facts, place }: Patient): Look {
  const known = knownVersion();
  const detail = `Schema ${place.schema} has layout ${facts.version}; this version of Longshore uses ${known}.`;
  if (facts.version === known) return good(detail);
  return facts.version > known
    ? fault(detail, 'Install the newer Longshore that made it, or restore a backup.')
    : fault(detail, "Run longshore migrate with this store's URL.");
}

function isPooled({ session, place, facts }: Patient): boolean {
  return place.pgbouncer ?? (session.client as unknown as { processID: number }).processID !== facts.pid;
}

function checkPooler(patient: Patient): Look {
  if (!isPooled(patient)) return good('The connection leads straight to the server.');
  return note(
    'The connection leads through a pooler such as PgBouncer: nothing is prepared, and workers poll instead of being notified.',
    'If it pools whole sessions, add ?pgbouncer=false to the URL; else connect workers straight to the server.',
  );
}

async function checkDurability({ session }: Patient): Promise<Look> {
  const settings = await session.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')`,
  );
  const off = settings.filter(({ setting }) => setting === 'off').map(({ name }) => name);
  if (off.length === 0) return good('What is acknowledged is on the disk.');
  return note(
    `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: jobs that were acknowledged may be lost when the server's machine fails.`,
    `Turn ${off.join(' and ')} on, unless that is meant.`,
  );
}

/** The answer's time lies between the question's and its own arrival. */
async function checkClock({ session, bounds }: Patient): Promise<Look> {
  const asked = Date.now();
  const [row] = await session.query<{ now: number }>(
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now',
  );
  const answered = Date.now();
  const now = row?.now ?? asked;
  const apartMs = Math.max(0, asked - now, now - answered);
  const detail = `The clocks of the server and of this machine are ${apartMs} ms apart, or nearly.`;
  if (apartMs <= bounds.clockMs) return good(detail);
  return note(
    `${detail} Leases and due times go by the server's.`,
    'Synchronize both with a time server (NTP).',
  );
}

const NOTIFY_MAX_MS = 2_000;

async function checkNotifications(patient: Patient): Promise<Look> {
  const { session, facts } = patient;
  if (isPooled(patient)) return good('Workers poll, as there is a pooler in between.');
  if (facts.readOnly) return good('Not asked for: nothing can be notified of here.');
  const channel = `longshore_doctor_${facts.pid}`;
  let timer: NodeJS.Timeout | undefined;
  const heard = new Promise<boolean>((resolve) => {
    session.client.on('notification', (message) => message.channel === channel && resolve(true));
    timer = setTimeout(() => resolve(false), NOTIFY_MAX_MS);
  });
  await session.query(`LISTEN ${channel}`);
  await session.query(`NOTIFY ${channel}`);
  const arrived = await heard;
  clearTimeout(timer);
  await session.query(`UNLISTEN ${channel}`);
  if (arrived) return good('Notifications arrive.');
  return note(
    `A notification did not arrive within ${NOTIFY_MAX_MS} ms; workers poll.`,
    'Look for what stands between: add ?pgbouncer=true to the URL if it is a pooler.',
  );
}

/** Whoever holds an old snapshot keeps dead rows from being removed: claims get slower and slower. */
async function checkSnapshots({ session, bounds }: Patient): Promise<Look> {
  const held = await session.query<{ what: string; remedy: string }>(
    `SELECT format('process %s (%s, %s, %s) for %s min', pid, usename, coalesce(nullif(application_name, ''), 'unnamed'),
         state, floor(extract(epoch FROM clock_timestamp() - xact_start) / 60)) AS what,
       format('SELECT pg_terminate_backend(%s)', pid) AS remedy
     FROM pg_stat_activity
     WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - make_interval(secs => $1)
     UNION ALL
     SELECT format('the prepared transaction %s', gid), format('ROLLBACK PREPARED %L', gid)
     FROM pg_prepared_xacts WHERE database = current_database() AND prepared < clock_timestamp() - make_interval(secs => $1)
     UNION ALL
     SELECT format('the replication slot %s', slot_name), format('SELECT pg_drop_replication_slot(%L)', slot_name)
     FROM pg_replication_slots WHERE xmin IS NOT NULL AND NOT active`,
    [bounds.snapshotMs / 1_000],
  );
  if (held.length === 0) return good('Nobody holds an old snapshot.');
  return note(
    `An old snapshot keeps dead rows from being removed, which slows claims; it is held by ${held.map(({ what }) => what).join('; ')}.`,
    `End it if it is not needed: ${held.map(({ remedy }) => remedy).join('; ')}.`,
  );
}

async function checkTables({ session, place, facts }: Patient): Promise<Look> {
  const edited = await changedMigrations(session, place);
  if (edited.length > 0) {
    return fault(
      `The migrations ${edited.join(', ')} are not those that were applied.`,
      'Use a released version of Longshore, or make the schema anew.',
    );
  }
  const drift = facts.readOnly ? null : await driftOf(session, place);
  if (drift === null) return good('Not compared: that takes the right to create a schema.');
  if (drift.length === 0) return good('All tables, indexes and functions are there.');
  return fault(
    `${drift.join(', ')}.`,
    'Make it again as the migrations of this version do, or restore a backup.',
  );
}

async function checkVacuum({ session, place, bounds }: Patient): Promise<Look> {
  const [row] = await session.query<{ on: boolean; table: string; live: number; dead: number }>(
    `SELECT current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on' AS on,
       relname AS table, n_live_tup AS live, n_dead_tup AS dead
     FROM pg_stat_user_tables WHERE schemaname = $1 AND relname IN ('job', 'fresh') 
     ORDER BY n_dead_tup - 10 * n_live_tup DESC LIMIT 1`,
    [place.schema],
  );
  const { on, table, live, dead } = row ?? { on: true, table: 'job', live: 0, dead: 0 };
  const detail = `The table ${table} has about ${live} live and ${dead} dead rows.`;
  if (!on)
    return note(
      `${detail} Autovacuum is off: dead rows are never removed.`,
      'Turn autovacuum on, and track_counts.',
    );
  if (dead <= bounds.deadRows || dead <= 10 * live) return good(detail);
  return note(
    detail,
    `Run VACUUM ${quoted(place.schema)}.${table}, and see under snapshots what keeps them. A lower autovacuum_naptime helps.`,
  );
}

const DAY_MS = 86_400_000;

async function checkHistory({ session, schema }: Patient): Promise<Look> {
  const [row] = await session.query<{ strays: boolean; days: number }>(
    `SELECT EXISTS (SELECT FROM ${schema}.history_completed_default WHERE finished_at < now - ${DAY_MS})
         OR EXISTS (SELECT FROM ${schema}.history_failed_default WHERE finished_at < now - ${DAY_MS})
         OR EXISTS (SELECT FROM ${schema}.history_cancelled_default WHERE finished_at < now - ${DAY_MS}) AS strays,
       (SELECT count(*) FROM ${schema}.history_days('completed')) AS days
     FROM (SELECT ${schema}.now_ms() AS now) AS clock`,
  );
  const { strays, days } = row ?? { strays: false, days: 0 };
  if (!strays) return good(`Jobs that ended lie in partitions of days, ${days} for those that completed.`);
  return note(
    'Some jobs that ended lie in no partition of a day, so they are pruned one by one, which takes longer.',
    'Keep a worker running: its maintenance makes the partitions of the days to come. It must own the tables.',
  );
}

async function checkLeases({ session, schema }: Patient): Promise<Look> {
  const [row] = await session.query<{ live: number; expired: number }>(
    `SELECT coalesce(sum(live), 0)::bigint AS live,
       coalesce(sum(live) FILTER (WHERE expires_at <= ${schema}.now_ms()), 0)::bigint AS expired FROM ${schema}.lease`,
  );
  const { live, expired } = row ?? { live: 0, expired: 0 };
  const detail = `${live} jobs are running, ${expired} of them with an expired lease.`;
  return expired === 0 ? good(detail) : note(detail, 'A worker that is started takes them back.');
}

async function checkWorkers({ session, schema }: Patient): Promise<Look> {
  const [row] = await session.query<{ alive: number; ready: number }>(
    `SELECT (SELECT count(*) FROM ${schema}.worker WHERE seen_at + lease_ms > ${schema}.now_ms()) AS alive,
       (SELECT count(*) FROM ${schema}.job WHERE state = 'ready' AND turn = 0) + (SELECT count(*) FROM ${schema}.fresh) AS ready`,
  );
  const { alive, ready } = row ?? { alive: 0, ready: 0 };
  const detail = `${alive} workers are alive, ${ready} jobs are ready.`;
  return alive > 0 || ready === 0 ? good(detail) : note(detail, 'Start a worker.');
}

async function checkFailed({ session, schema }: Patient): Promise<Look> {
  const [row] = await session.query<{ failed: number }>(
    `SELECT count(*) AS failed FROM ${schema}.history_failed`,
  );
  const detail = `${row?.failed ?? 0} jobs are dead letters.`;
  if ((row?.failed ?? 0) === 0) return good(detail);
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

function faultOf(check: string, error: unknown, place: Place): Finding {
  return { check, level: 'fault', detail: toStoreError(error, place).message, remedy: null };
}
