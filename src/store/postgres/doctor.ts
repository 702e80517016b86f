import type { Finding } from '../store.ts';
import { JOB_CHECKS } from './doctor-jobs.ts';
import { SCHEMA_CHECKS } from './doctor-schema.ts';
import { toStoreError, whereIs } from './errors.ts';
import { knownVersion, lookAt, SERVER_MIN, type ServerFacts, versionText } from './migrate.ts';
import { type Bounds, type Check, fault, good, type Look, note, type Patient } from './patient.ts';
import { openSession, type Session } from './session.ts';
import { type Place, quoted } from './url.ts';

/** Looks for what may be wrong with a server and the schema on it. Changes nothing unless asked to repair. */
export async function examinePlace(
  place: Place,
  { repair = false, bounds = BOUNDS }: Partial<Pick<Patient, 'repair' | 'bounds'>> = {},
): Promise<Finding[]> {
  let session: Session;
  try {
    session = await openSession(place);
  } catch (error) {
    return [faultOf('server', error, place)];
  }
  try {
    return await examine(session, place, { repair, bounds });
  } finally {
    await session.close();
  }
}

const BOUNDS: Bounds = { snapshotMs: 3_600_000, clockMs: 1_000, deadRows: 100_000 };

const SERVER_CHECKS: readonly (readonly [string, Check])[] = [
  ['server', checkServer],
  ['pooler', checkPooler],
  ['durability', checkDurability],
  ['clock', checkClock],
  ['notifications', checkNotifications],
  ['snapshots', checkSnapshots],
  ['layout', checkLayout],
];

async function examine(
  session: Session,
  place: Place,
  asked: Pick<Patient, 'repair' | 'bounds'>,
): Promise<Finding[]> {
  let facts: ServerFacts;
  try {
    facts = await lookAt(session, place);
  } catch (error) {
    return [faultOf('server', error, place)];
  }
  const patient: Patient = { session, place, facts, ...asked, schema: quoted(place.schema) };
  const findings: Finding[] = [];
  const run = async (checks: typeof SERVER_CHECKS): Promise<void> => {
    for (const [check, look] of checks) findings.push(await attempt(check, look, patient));
  };
  await run(SERVER_CHECKS);
  if (facts.version === knownVersion()) await run([...JOB_CHECKS, ...SCHEMA_CHECKS]);
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

function faultOf(check: string, error: unknown, place: Place): Finding {
  return { check, level: 'fault', detail: toStoreError(error, place).message, remedy: null };
}
