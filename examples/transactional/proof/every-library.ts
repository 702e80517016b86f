/**
 * What the tests prove of every library beside its example: hard texts come through, savepoints work, and what is no
 * transaction is refused. It lies here because the libraries do.
 */
import assert from 'node:assert/strict';
import { PrismaPg } from '@prisma/adapter-pg';
import { drizzle as drizzleOnPg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';
import { connect, defineTask } from '../../../src/index.ts';
import { PrismaClient } from '../generated/client.ts';
import { url } from '../shop.ts';

// A name with what the libraries give a meaning to.
const longshore = await connect(
  `${url}?migrate=auto&schema=${encodeURIComponent('jobs $1 ? ?? :name "x"')}`,
  { logger: false },
);
const pool = new pg.Pool({ connectionString: url });
const sql = postgres(url, { onnotice: () => undefined });
const builder = knex({ client: 'pg', connection: url });
const kysely = new Kysely<object>({
  dialect: new PostgresDialect({ pool }),
  plugins: [new CamelCasePlugin()],
});
const onPg = drizzleOnPg({ client: pool });
const onPostgresJs = drizzleOnPostgresJs({ client: sql });
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });

type Use = (tx: object) => Promise<void>;

/** For those that leave BEGIN and its end to the caller. */
async function between(end: (commit: boolean) => Promise<unknown>, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } catch (error) {
    await end(false);
    throw error;
  }
  await end(true);
}

const ways: Record<string, (use: Use) => Promise<unknown>> = {
  async pg(use) {
    const client = await pool.connect();
    await client.query('BEGIN');
    const end = (commit: boolean) => client.query(commit ? 'COMMIT' : 'ROLLBACK');
    await between(end, () => use(client)).finally(() => client.release());
  },
  'postgres.js': (use) => sql.begin((tx) => use(tx)),
  'postgres.js, a savepoint': (use) => sql.begin((tx) => tx.savepoint((inner) => use(inner))),
  async 'postgres.js, reserved'(use) {
    const reserved = await sql.reserve();
    await reserved`BEGIN`;
    const end = (commit: boolean) => reserved.unsafe(commit ? 'COMMIT' : 'ROLLBACK');
    await between(end, () => use(reserved)).finally(() => reserved.release());
  },
  knex: (use) => builder.transaction((tx) => use(tx)),
  'knex, nested': (use) => builder.transaction((tx) => tx.transaction((inner) => use(inner))),
  kysely: (use) => kysely.transaction().execute((tx) => use(tx)),
  async 'kysely, controlled'(use) {
    const tx = await kysely.startTransaction().execute();
    const end = (commit: boolean) => (commit ? tx.commit() : tx.rollback()).execute();
    await between(end, () => use(tx));
  },
  'drizzle on pg, nested': (use) => onPg.transaction((tx) => tx.transaction((inner) => use(inner))),
  'drizzle on postgres.js': (use) => onPostgresJs.transaction((tx) => use(tx)),
  prisma: (use) => prisma.$transaction((tx) => use(tx)),
};

const inputs = [
  "it's",
  '\\',
  "\\\\'",
  '$1 ? ?? :name ::text',
  '\u0000',
  '\r\n\t',
  '😀',
  "E'\\''; --",
  'x'.repeat(300_000),
];

for (const [way, begin] of Object.entries(ways)) {
  await begin(async (tx) => {
    const handles = await longshore.enqueueMany('text', inputs, { tx, queue: way });
    const held = await longshore.enqueue('text', way, { tx, queue: way, unique: { key: way } });
    const again = await longshore.enqueue('text', way, { tx, queue: way, unique: { key: way } });
    assert.deepEqual([again.id, again.status], [held.id, 'existing'], way);
    assert.equal(await longshore.jobs.get(handles[0]?.id ?? ''), null, `${way}: seen before the commit`);
  });
  const { jobs } = await longshore.jobs.list({ queue: way });
  assert.deepEqual(jobs.map(({ input }) => input).reverse(), [...inputs, way], way);

  const undone = begin(async (tx) => {
    await longshore.enqueue('text', 'undone', { tx, queue: 'undone' });
    throw new Error('undo');
  });
  await assert.rejects(undone, /undo/);
}

assert.equal((await longshore.jobs.list({ queue: 'undone' })).jobs.length, 0);

for (const [way, begin] of Object.entries(ways)) {
  const task = defineTask({
    name: `complete ${way}`,
    attempts: 1,
    run: ({ complete, input, transaction }) =>
      begin(async (tx) => {
        await assert.rejects(
          transaction(tx, async () => 1),
          { code: 'OPTION_INVALID' },
          way,
        );
        await complete(`it's ${way}`, { tx });
        if (input === 'undo') throw new Error('undo');
      }) as Promise<never>,
  });
  const [kept, undone] = [await longshore.enqueue(task, 'keep'), await longshore.enqueue(task, 'undo')];
  const results = Promise.allSettled([kept.result(), undone.result()]);
  await longshore.worker({ tasks: [task], queues: ['default'], concurrency: 1 }).runUntilIdle();
  const [first, second] = await results;
  assert.deepEqual(first, { status: 'fulfilled', value: `it's ${way}` }, way);
  assert.equal(second.status, 'rejected', way);
}

const roots: readonly [object, RegExp][] = [
  [pool, /this is a pool/],
  [sql, /this is the pool/],
  [builder, /this is the knex itself/],
  [kysely, /this is the Kysely itself/],
  [onPg, /this is the database itself/],
  [onPostgresJs, /this is the database itself/],
  [prisma, /this is the PrismaClient itself/],
];
for (const [tx, message] of roots)
  await assert.rejects(longshore.enqueue('text', 1, { tx }), { code: 'OPTION_INVALID', message });

const nowhere = await connect(`${url}?migrate=auto&schema=gone`);
await pool.query('DROP SCHEMA gone CASCADE');
for (const [way, begin] of Object.entries(ways)) {
  const call = begin(async (tx) => void (await nowhere.enqueue('text', 1, { tx })));
  await assert.rejects(call, { code: 'OPTION_INVALID', message: /has no gone\.enqueue_specs/ }, way);
}

await Promise.all([longshore.close(), nowhere.close()]);
await Promise.all([sql.end(), builder.destroy(), kysely.destroy(), prisma.$disconnect()]);
console.log(`${Object.keys(ways).length} libraries and ways: all texts came through`);
