import pg from 'pg';
import type { ServerPlace } from './site.ts';

/** Makes today's part of the history, as the first prune would while something is measured. */
export async function makeToday({ url, name }: ServerPlace): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const day = 86_400_000;
    const first = Math.floor(Date.now() / day) * day;
    await client.query(`SELECT "${name}".make_history_day('completed', $1::bigint)`, [first]);
  } finally {
    await client.end();
  }
}

/**
 * Adds jobs that completed a minute ago to a schema of Longshore's, by SQL: five million through the front door would
 * take longer than what is measured. Leaves the tables as autovacuum would after a while.
 */
export async function addFinished({ url, name }: ServerPlace, jobs: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (let done = 0; done < jobs; done += PART) {
      const part = Math.min(PART, jobs - done);
      await client.query(ADD.replaceAll('{{schema}}', `"${name}"`), [done, part, Date.now()]);
    }
    await client.query(`VACUUM (ANALYZE) "${name}".history`);
    await client.query('CHECKPOINT').catch(() => undefined);
  } finally {
    await client.end();
  }
}

/**
 * Holds a snapshot, as a long report or a forgotten session does: nothing that dies after it can be removed. Resolves
 * when it is taken, to what lets it go.
 */
export async function holdSnapshot(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT 1');
  return () => client.end();
}

/** Rows a statement, so that an interruption does not wait for all. */
const PART = 250_000;

/** Numbers below zero: the store's own start at 1. */
const ADD = `
  INSERT INTO {{schema}}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
    cancel_requested, created_at, due_at, started_at, finished_at, input)
  SELECT -1 - n, ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'default', 'noop', 'completed', 0, 1,
    3, 0, false, $3::bigint - 60000, $3::bigint - 60000, $3::bigint - 60000, $3::bigint - 60000, '{"n":0}'
  FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) AS n`;
