import { counted } from '../../core/counted.ts';
import { type Check, fault, good, type Look, type Patient } from './patient.ts';

/**
 * What two tables say of one job must agree. Each check counts what does not, by one statement and so as of one moment, while
 * workers go on; each mending is a transaction that tells workers to look again. None loses a job: what nobody would ever
 * claim or take back is made so that somebody does.
 */
export const JOB_CHECKS: readonly (readonly [string, Check])[] = [
  ['fresh jobs', checkFresh],
  ['held jobs', checkHeld],
  ['lease counts', checkCounts],
  ['turns', checkTurns],
  ['locks', checkLocks],
];

interface Ailment {
  /** One row with the number of what is wrong, as `wrong`. */
  readonly count: string;
  /** In this order, each a transaction. */
  readonly cures: readonly string[];
  readonly sound: string;
  /** Behind the number. */
  readonly wrong: readonly [one: string, many: string];
}

async function treat({ session, schema, repair }: Patient, ailment: Ailment): Promise<Look> {
  const found = async (): Promise<number> =>
    (await session.query<{ wrong: number }>(ailment.count))[0]?.wrong ?? 0;
  const wrong = await found();
  if (wrong === 0) return good(ailment.sound);
  const look = fault(counted(wrong, ...ailment.wrong), 'Run longshore doctor --repair.');
  if (!repair) return look;
  for (const cure of ailment.cures)
    await session.transaction(async () => {
      await session.query(cure);
      await session.query(`SELECT ${schema}.hint('', 'ready')`);
    });
  return (await found()) === 0 ? { ...look, repaired: true } : look;
}

/** Entries of `fresh` whose numbers are not all fresh jobs of their queue and priority. */
function ghosts(schema: string): string {
  return `SELECT fresh.ctid FROM ${schema}.fresh
    WHERE last_seq - next_seq + 1 <> (
      SELECT count(*) FROM ${schema}.job WHERE job.seq BETWEEN fresh.next_seq AND fresh.last_seq
        AND job.turn = 3 AND job.queue = fresh.queue AND job.priority = fresh.priority)`;
}

/** Fresh jobs that neither wait in `fresh` nor are listed by a lease. */
function orphans(schema: string): string {
  return `SELECT seq FROM ${schema}.job WHERE turn = 3
    EXCEPT SELECT number.seq FROM ${schema}.fresh CROSS JOIN LATERAL generate_series(next_seq, last_seq) AS number (seq)
    EXCEPT SELECT seq FROM (${listed(schema)}) AS listed WHERE fresh_at IS NOT NULL`;
}

function listed(schema: string): string {
  return `SELECT lease.token, lease.fresh_at, member.seq
    FROM ${schema}.lease CROSS JOIN LATERAL ${schema}.range_seqs(lease.firsts, lease.lasts) AS member (seq)`;
}

function checkFresh(patient: Patient): Promise<Look> {
  const { schema } = patient;
  return treat(patient, {
    count: `SELECT (SELECT count(*) FROM (${ghosts(schema)}) AS ghost) + (SELECT count(*) FROM (${orphans(schema)}) AS orphan) AS wrong`,
    // What an entry had is orphaned, and waits in the line of jobs that were changed from then on.
    cures: [
      `DELETE FROM ${schema}.fresh WHERE ctid IN (${ghosts(schema)})`,
      `UPDATE ${schema}.job SET turn = 0 WHERE turn = 3 AND seq IN (${orphans(schema)})`,
    ],
    sound: 'Every job that was never claimed is in the line or leased.',
    wrong: [
      'job that was never claimed, or range of them, is in no line and no lease: no worker gets it.',
      'jobs that were never claimed, or ranges of them, are in no line and no lease: no worker gets them.',
    ],
  });
}

/** Running jobs that no lease lists: nobody would take them back. */
function strays(schema: string): string {
  return `SELECT job.seq, job.queue FROM ${schema}.job
    WHERE job.lease IS NOT NULL AND NOT EXISTS (
      SELECT FROM (${listed(schema)}) AS listed WHERE listed.token = job.lease AND listed.seq = job.seq)`;
}

function checkHeld(patient: Patient): Promise<Look> {
  const { schema } = patient;
  return treat(patient, {
    count: `SELECT count(*) AS wrong FROM (${strays(schema)}) AS stray`,
    // A lease of its own that has expired: whoever leads takes them back by the rule for workers that died.
    cures: [
      `WITH stray AS (
         ${strays(schema)} FOR UPDATE OF job
       ), made AS (
         INSERT INTO ${schema}.lease (worker_id, queue, claim_id, expires_at, live, firsts, lasts)
         SELECT 'longshore doctor', queue, md5(random()::text)::uuid, ${schema}.now_ms(), count(*),
           array_agg(seq ORDER BY seq), array_agg(seq ORDER BY seq) FROM stray GROUP BY queue
         RETURNING token, queue
       )
       UPDATE ${schema}.job SET lease = made.token FROM made JOIN stray USING (queue) WHERE job.seq = stray.seq`,
    ],
    sound: 'Every running job is listed by its lease.',
    wrong: [
      'running job is listed by no lease: nobody would take it back.',
      'running jobs are listed by no lease: nobody would take them back.',
    ],
  });
}

/** How many jobs carry a lease's token, where that is not what the lease says. */
function miscounted(schema: string): string {
  return `SELECT lease.token, count(job.seq) + (
      SELECT count(*) FROM ${schema}.departure WHERE departure.lease = lease.token) AS live
    FROM ${schema}.lease LEFT JOIN (${listed(schema)}) AS listed ON listed.token = lease.token
      LEFT JOIN ${schema}.job ON job.seq = listed.seq
        AND (job.lease = lease.token OR job.turn = 3 AND lease.fresh_at IS NOT NULL)
    GROUP BY lease.token, lease.live HAVING lease.live <> count(job.seq) + (
      SELECT count(*) FROM ${schema}.departure WHERE departure.lease = lease.token)`;
}

function checkCounts(patient: Patient): Promise<Look> {
  const { schema } = patient;
  return treat(patient, {
    count: `SELECT count(*) AS wrong FROM (${miscounted(schema)}) AS miscounted`,
    // Locked first, so that whoever settles a job of theirs is waited for and then counted.
    cures: [
      `DO $$ DECLARE tokens bigint[] := ARRAY(SELECT token FROM (${miscounted(schema)}) AS miscounted);
       BEGIN
         PERFORM FROM ${schema}.lease WHERE token = ANY (tokens) ORDER BY token FOR UPDATE;
         UPDATE ${schema}.lease SET live = now.live FROM (${miscounted(schema)}) AS now
         WHERE lease.token = now.token AND lease.token = ANY (tokens);
         DELETE FROM ${schema}.lease WHERE live = 0 AND token = ANY (tokens);
       END $$`,
    ],
    sound: 'Every lease counts its jobs right.',
    wrong: [
      'lease counts more or fewer jobs than it holds: limits of how many run would go by that.',
      'leases count more or fewer jobs than they hold: limits of how many run would go by that.',
    ],
  });
}

/** Turns in which a job of its state is never claimed or counted (turns.ts), with the one it can be given. */
function misplaced(schema: string): string {
  return `SELECT seq, queue, key, CASE
      WHEN state = 'scheduled' THEN CASE WHEN key IS NULL THEN 0 ELSE 2 END
      WHEN state = 'ready' AND key IS NOT NULL THEN 1
      ELSE 0 END AS turn
    FROM ${schema}.job
    WHERE CASE state
      WHEN 'ready' THEN CASE
        WHEN turn = -2 THEN ticket IS NULL
        WHEN key IS NULL THEN turn NOT IN (0, 3)
        ELSE turn NOT IN (0, 1) END
      WHEN 'scheduled' THEN turn IN (1, 3)
      WHEN 'running' THEN turn > 0
      ELSE false END`;
}

/** Keys whose line has room although jobs of theirs are held. */
function starved(schema: string): string {
  return `SELECT queue, key FROM ${schema}.job WHERE key IS NOT NULL AND turn < 2
    GROUP BY queue, key HAVING count(*) FILTER (WHERE turn = 1 AND state = 'ready') > 0
      AND ${schema}.line_length(queue, key)
        < ${schema}.key_window((SELECT limits FROM ${schema}.queue WHERE queue.name = job.queue))`;
}

function checkTurns(patient: Patient): Promise<Look> {
  const { schema } = patient;
  return treat(patient, {
    count: `SELECT (SELECT count(*) FROM (${misplaced(schema)}) AS misplaced) + (SELECT count(*) FROM (${starved(schema)}) AS starved) AS wrong`,
    cures: [
      `DO $$ BEGIN
         PERFORM FROM ${schema}.job WHERE seq IN (SELECT seq FROM (${misplaced(schema)}) AS misplaced) ORDER BY seq FOR UPDATE;
         PERFORM ${schema}.lock_keys(array_agg(queue), array_agg(key)) FROM (${misplaced(schema)}) AS misplaced;
         UPDATE ${schema}.job SET turn = misplaced.turn FROM (${misplaced(schema)}) AS misplaced WHERE job.seq = misplaced.seq;
       END $$`,
      `DO $$ BEGIN
         PERFORM ${schema}.lock_keys(array_agg(queue), array_agg(key)) FROM (${starved(schema)}) AS starved;
         PERFORM ${schema}.admit(array_agg(queue), array_agg(key), true) FROM (${starved(schema)}) AS starved;
       END $$`,
    ],
    sound: 'Every job is in the line, held or put off as its state and key say.',
    wrong: ['job or key has a turn that never comes.', 'jobs or keys have a turn that never comes.'],
  });
}

/** Far more than any lock is taken for (worker/leader.ts takes 10 s at most). */
const LOCK_MAX_MS = 3_600_000;

function checkLocks(patient: Patient): Promise<Look> {
  const { schema } = patient;
  const far = `expires_at > ${schema}.now_ms() + ${LOCK_MAX_MS}`;
  return treat(patient, {
    count: `SELECT count(*) AS wrong FROM ${schema}.lock WHERE ${far}`,
    cures: [`DELETE FROM ${schema}.lock WHERE ${far}`],
    sound: 'No lock is held for long.',
    wrong: [
      'lock is held for more than an hour from now, as after a clock that was wrong: until then nobody leads, and nothing is taken back or pruned.',
      'locks are held for more than an hour from now, as after a clock that was wrong: until then nobody leads, and nothing is taken back or pruned.',
    ],
  });
}
