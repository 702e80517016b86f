import { counted } from '../../core/counted.ts';
import { keyWindow, LIMITS_NONE } from '../../core/limits.ts';
import type { Finding } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Tx } from './rows.ts';
import { admit, parseLimits, TURN } from './turns.ts';

/**
 * What two tables say of one job must agree. Each check counts what does not; its cure is a transaction. None loses a job: what
 * nobody would ever claim or take back is made so that somebody does.
 */
export interface Ailment {
  readonly check: string;
  /** How much is wrong. */
  readonly count: (tx: Tx) => number;
  readonly cure: (tx: Tx) => void;
  readonly sound: string;
  /** Behind the number. */
  readonly wrong: readonly [one: string, many: string];
}

export const AILMENTS: readonly Ailment[] = [
  {
    check: 'held jobs',
    count: (tx) => numberOf(tx, `SELECT count(*) AS wrong FROM (${strays()})`),
    cure: takeBack,
    sound: 'Every running job is listed by its lease.',
    wrong: [
      'running job is listed by no lease: nobody would take it back.',
      'running jobs are listed by no lease: nobody would take them back.',
    ],
  },
  {
    check: 'lease counts',
    count: (tx) => numberOf(tx, `SELECT count(*) AS wrong FROM lease WHERE live <> (${CARRIERS})`),
    cure: (tx) => {
      tx.db.run(`UPDATE lease SET live = (${CARRIERS})`);
      tx.db.run('DELETE FROM lease WHERE live = 0');
    },
    sound: 'Every lease counts its jobs right.',
    wrong: [
      'lease counts more or fewer jobs than it holds: limits of how many run would go by that.',
      'leases count more or fewer jobs than they hold: limits of how many run would go by that.',
    ],
  },
  {
    check: 'turns',
    count: (tx) => numberOf(tx, `SELECT count(*) AS wrong FROM job WHERE ${MISPLACED}`) + starved(tx).length,
    cure: replace,
    sound: 'Every job is in the line, held or put off as its state and key say.',
    wrong: ['job or key has a turn that never comes.', 'jobs or keys have a turn that never comes.'],
  },
  {
    check: 'locks',
    count: (tx) =>
      numberOf(tx, `SELECT count(*) AS wrong FROM lock WHERE expires_at > ${tx.now + LOCK_MAX_MS}`),
    cure: (tx) => tx.db.run('DELETE FROM lock WHERE expires_at > ?', tx.now + LOCK_MAX_MS),
    sound: 'No lock is held for long.',
    wrong: [
      'lock is held for more than an hour from now, as after a clock that was wrong: until then nobody leads, and nothing is taken back or pruned.',
      'locks are held for more than an hour from now, as after a clock that was wrong: until then nobody leads, and nothing is taken back or pruned.',
    ],
  },
];

/** In one look, and again after the cure where it is asked for. */
export function treat(
  db: Connection,
  { count, cure, sound, wrong }: Ailment,
  repair: boolean,
): Omit<Finding, 'check'> {
  const tx: Tx = { db, now: Date.now(), topics: new Set() };
  const found = count(tx);
  if (found === 0) return { level: 'ok', detail: sound, remedy: null };
  const fault = {
    level: 'fault',
    detail: counted(found, ...wrong),
    remedy: 'Run longshore doctor --repair.',
  } as const;
  if (!repair) return fault;
  db.run('BEGIN IMMEDIATE');
  try {
    cure(tx);
    db.run('COMMIT');
  } catch (error) {
    db.rollback();
    throw error;
  }
  return count(tx) === 0 ? { ...fault, repaired: true } : fault;
}

/** Far more than any lock is taken for (worker/leader.ts takes 10 s at most). */
const LOCK_MAX_MS = 3_600_000;

/** How many jobs carry a lease's token. */
const CARRIERS = `SELECT count(*) FROM json_each(lease.seqs) AS member CROSS JOIN job
  ON job.seq = member.value AND job.lease = lease.token`;

function strays(): string {
  return `SELECT job.seq, job.queue FROM job LEFT JOIN lease ON lease.token = job.lease
    WHERE job.lease IS NOT NULL AND (
      lease.token IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(lease.seqs) AS member WHERE member.value = job.seq))`;
}

/** A lease of their own that has expired: whoever leads takes them back by the rule for workers that died. */
function takeBack(tx: Tx): void {
  const queues = tx.db.all<{ queue: string; jobs: number; seqs: string }>(
    `SELECT queue, count(*) AS jobs, json_group_array(seq) AS seqs FROM (${strays()}) GROUP BY queue`,
  );
  for (const { queue, jobs, seqs } of queues) {
    const token = tx.db.insert(
      `INSERT INTO lease (worker_id, queue, expires_at, live, seqs) VALUES ('longshore doctor', ?, ?, ?, ?)`,
      queue,
      tx.now,
      jobs,
      seqs,
    );
    tx.db.run('UPDATE job SET lease = ? WHERE seq IN (SELECT value FROM json_each(?))', token, seqs);
  }
}

/** Turns in which a job of its state is never claimed or counted. */
const MISPLACED = `CASE state
  WHEN 'ready' THEN CASE
    WHEN turn = ${TURN.letIn} THEN ticket IS NULL
    WHEN key IS NULL THEN turn <> ${TURN.line}
    ELSE turn NOT IN (${TURN.line}, ${TURN.held}) END
  WHEN 'scheduled' THEN turn = ${TURN.held}
  WHEN 'running' THEN turn > ${TURN.line}
  ELSE 0 END`;

function replace(tx: Tx): void {
  tx.db.run(
    `UPDATE job SET turn = CASE
       WHEN state = 'scheduled' THEN iif(key IS NULL, ${TURN.line}, ${TURN.none})
       WHEN state = 'ready' AND key IS NOT NULL THEN ${TURN.held}
       ELSE ${TURN.line} END
     WHERE ${MISPLACED}`,
  );
  for (const { queue, key } of starved(tx)) admit(tx, queue, key);
}

/** Keys whose line has room although jobs of theirs are held. */
function starved(tx: Tx): { readonly queue: string; readonly key: string }[] {
  const keys = tx.db.all<{ queue: string; key: string; length: number; limits: string | null }>(
    `SELECT job.queue, job.key, count(*) FILTER (WHERE turn <= ${TURN.line}) AS length, queue.limits
     FROM job LEFT JOIN queue ON queue.name = job.queue WHERE job.key IS NOT NULL AND turn < 2
     GROUP BY job.queue, job.key HAVING count(*) FILTER (WHERE turn = ${TURN.held} AND state = 'ready') > 0`,
  );
  return keys.filter(({ length, limits }) => length < keyWindow(parseLimits(limits) ?? LIMITS_NONE));
}

function numberOf(tx: Tx, statement: string): number {
  return tx.db.get<{ wrong: number }>(statement)?.wrong ?? 0;
}
