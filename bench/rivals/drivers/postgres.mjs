/**
 * `pg` (by itself, and with its pipelining of statements) and `postgres` (postgres.js) doing what a store does on one
 * connection: insert 1,000 rows by unnest, claim 1,000 rows, and small statements, one or a hundred in flight. All
 * statements are prepared. Run by `npm run -s bench -- drivers --store postgres`.
 */
import { randomUUID } from 'node:crypto';
import { measureDrivers } from './rounds.mjs';

measureDrivers({
  pg: { load: () => import('pg'), open: ({ default: pg }, settings) => openPg(pg, settings, {}) },
  'pg, pipeline': {
    load: () => import('pg'),
    open: ({ default: pg }, settings) => openPg(pg, settings, { pipeline: true }),
  },
  'postgres.js': {
    load: () => import('postgres'),
    open: ({ default: postgres }, settings) => openPostgresJs(postgres, settings),
  },
});

async function openPg(pg, { server }, options) {
  const client = new pg.Client({ connectionString: server.url, ...options });
  await client.connect();
  const run = async (name, text, values) => (await client.query({ name, text, values })).rows;
  return works(server.name, run, () => client.end());
}

function openPostgresJs(postgres, { server }) {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
  const run = (_name, text, values) => sql.unsafe(text, values, { prepare: true });
  return works(server.name, run, () => sql.end());
}

const ROWS = 1_000;

/** Inputs of 80 bytes. */
const INPUT = JSON.stringify({ pad: 'x'.repeat(70) });

function works(schema, run, close) {
  const table = `"${schema}".job`;
  const inserted = `
    INSERT INTO ${table} (id, queue, task, priority, attempt, created_at, input)
    SELECT id, 'default', 'noop', 0, 0, $3::bigint, input FROM unnest($1::uuid[], $2::text[]) AS spec (id, input)`;
  const claimed = `
    UPDATE ${table} AS job SET lease = coalesce(job.lease, 0) + 1, attempt = job.attempt + 1
    FROM (SELECT seq FROM ${table} ORDER BY seq LIMIT ${ROWS} FOR UPDATE SKIP LOCKED) AS line
    WHERE job.seq = line.seq RETURNING job.*`;
  const read = `SELECT * FROM ${table} ORDER BY seq LIMIT ${ROWS}`;
  const insert = () => {
    const ids = Array.from({ length: ROWS }, () => randomUUID());
    return run('insert', inserted, [ids, ids.map(() => INPUT), Date.now()]);
  };
  const rows = async (name, text) => {
    const { length } = await run(name, text, []);
    if (length !== ROWS) throw new Error(`${name}: ${length} rows, not ${ROWS}`);
  };
  const small = () => run('small', 'SELECT $1::integer AS n', [1]);
  return {
    async prepare() {
      await run(undefined, `CREATE SCHEMA "${schema}"`, []);
      await run(
        undefined,
        `CREATE TABLE ${table} (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid, queue text, task text,
          priority integer, attempt integer, lease bigint, created_at bigint, input text)`,
        [],
      );
      await insert();
    },
    works: {
      'insert a row of 1,000': { rounds: 100, each: ROWS, work: insert },
      'claim a row of 1,000': { rounds: 100, each: ROWS, work: () => rows('claim', claimed) },
      'read a row of 1,000': { rounds: 200, each: ROWS, work: () => rows('read', read) },
      'small statement, one in flight': { rounds: 3_000, each: 1, work: small },
      'small statement, 100 in flight': {
        rounds: 200,
        each: 100,
        work: () => Promise.all(Array.from({ length: 100 }, small)),
      },
    },
    close,
  };
}
