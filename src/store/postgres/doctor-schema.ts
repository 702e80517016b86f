import { counted } from '../../core/counted.ts';
import { changedMigrations, driftOf } from './drift.ts';
import { type Check, fault, good, type Look, note, type Patient } from './patient.ts';
import { quoted } from './url.ts';

/** These need the tables. */
export const SCHEMA_CHECKS: readonly (readonly [string, Check])[] = [
  ['tables', checkTables],
  ['vacuum', checkVacuum],
  ['history', checkHistory],
  ['leases', checkLeases],
  ['workers', checkWorkers],
  ['dead letters', checkFailed],
];

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
  const detail = `${counted(live, 'job is', 'jobs are')} running, ${expired} with an expired lease.`;
  return expired === 0 ? good(detail) : note(detail, 'A worker that is started takes them back.');
}

async function checkWorkers({ session, schema }: Patient): Promise<Look> {
  const [row] = await session.query<{ alive: number; ready: number }>(
    `SELECT (SELECT count(*) FROM ${schema}.worker WHERE seen_at + lease_ms > ${schema}.now_ms()) AS alive,
       (SELECT count(*) FROM ${schema}.job WHERE state = 'ready' AND turn = 0) + (SELECT coalesce(sum(last_seq - next_seq + 1), 0)::bigint FROM ${schema}.fresh) AS ready`,
  );
  const { alive, ready } = row ?? { alive: 0, ready: 0 };
  const detail = `${counted(alive, 'worker is', 'workers are')} alive, ${counted(ready, 'job is', 'jobs are')} ready.`;
  return alive > 0 || ready === 0 ? good(detail) : note(detail, 'Start a worker.');
}

async function checkFailed({ session, schema }: Patient): Promise<Look> {
  const [row] = await session.query<{ failed: number }>(
    `SELECT count(*) AS failed FROM ${schema}.history_failed`,
  );
  const detail = counted(row?.failed ?? 0, 'job is a dead letter.', 'jobs are dead letters.');
  if ((row?.failed ?? 0) === 0) return good(detail);
  return note(detail, 'Look at them with longshore jobs --state failed, then redrive or remove them.');
}
