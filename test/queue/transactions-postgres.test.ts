/** Jobs in a transaction of the caller's on PostgreSQL, and jobs by plain SQL. Every library: test/examples/transactional.test.ts. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { connect, defineTask, type EnqueueOptions, type Longshore } from '../../src/index.ts';
import { serverUrl } from '../servers.ts';
import { eventually, nextEvent, record } from '../stage.ts';

const receipt = defineTask({ name: 'receipt', run: ({ input }) => input });

interface Shop {
  readonly t: TestContext;
  /** Of the jobs; orders are in the schema, too. */
  readonly schema: string;
  readonly url: string;
  readonly server: string;
  readonly longshore: Longshore;
  /** A connection of the shop's own. */
  client(server?: string): Promise<pg.Client>;
}

function onPostgres(title: string, body: (shop: Shop) => Promise<void>): void {
  test(title, { timeout: 60_000 }, async (t) => {
    const server = await serverUrl(t, 'postgres');
    if (server === undefined) return;
    const schema = `tx_${randomUUID().slice(0, 8)}`;
    const url = `${server}${server.includes('?') ? '&' : '?'}schema=${schema}`;
    const longshore = await connect(`${url}&migrate=auto`);
    const open: pg.Client[] = [];
    const client = async (of = server): Promise<pg.Client> => {
      const opened = new pg.Client({ connectionString: of });
      open.push(opened);
      await opened.connect();
      return opened;
    };
    t.after(async () => {
      await longshore.close();
      await Promise.all(open.map((opened) => opened.end()));
      const last = new pg.Client({ connectionString: server });
      await last.connect();
      await last.query(`DROP SCHEMA ${schema} CASCADE`);
      await last.end();
    });
    await body({ t, schema, url, server, longshore, client });
  });
}

async function count(longshore: Longshore): Promise<number> {
  return (await longshore.jobs.list({ limit: 1_000 })).jobs.length;
}

onPostgres('a job exists exactly if the transaction commits', async ({ longshore, client, schema }) => {
  const tx = await client();
  await tx.query(`CREATE TABLE ${schema}.shop_order (total integer)`);
  await tx.query('BEGIN');
  await tx.query(`INSERT INTO ${schema}.shop_order VALUES (10)`);
  const lost = await longshore.enqueue(receipt, 1, { tx, unique: { key: 'a' } });
  await longshore.enqueueMany(receipt, Array(50).fill(2), { tx });
  assert.equal(await count(longshore), 0, 'nothing is seen before the commit');
  await tx.query('ROLLBACK');
  assert.equal(await count(longshore), 0);
  await assert.rejects(lost.result(), { code: 'JOB_UNKNOWN' });

  await tx.query('BEGIN');
  await tx.query(`INSERT INTO ${schema}.shop_order VALUES (20)`);
  const kept = await longshore.enqueue(receipt, { total: 20 }, { tx, unique: { key: 'a' } });
  await tx.query('COMMIT');
  assert.equal(kept.status, 'created');
  await longshore.worker({ tasks: [receipt] }).runUntilIdle();
  assert.deepEqual(await kept.result(), { total: 20 });
  assert.equal((await tx.query(`SELECT FROM ${schema}.shop_order`)).rowCount, 1);
});

onPostgres('a batch in a transaction is written whole and in order', async ({ longshore, client }) => {
  const tx = await client();
  const texts = [
    "it's",
    '\\',
    '$1 ? ?? :name',
    '\u0000',
    '\n\t',
    '😀',
    '\ud83d',
    "E'\\''; --",
    'x'.repeat(500_000),
  ];
  const inputs = [...texts, null, undefined, [], 0.1, { deep: { er: [1] } }];
  await tx.query('BEGIN');
  const handles = await longshore.enqueueMany(receipt, inputs, { tx });
  await tx.query('COMMIT');
  const { jobs } = await longshore.jobs.list({ limit: 100 });
  assert.deepEqual(
    jobs.map(({ id }) => id).reverse(),
    handles.map(({ id }) => id),
  );
  assert.deepEqual(jobs.map(({ input }) => input).reverse(), inputs);
});

onPostgres('every option counts in a transaction, too', async ({ longshore, client }) => {
  const tx = await client();
  const at = new Date('2100-01-01');
  const key = 'a key with 😀';
  const options: EnqueueOptions = { queue: 'images', priority: -7, attempts: 9, at, key };
  await tx.query('BEGIN');
  const { id } = await longshore.enqueue(receipt, 1, { ...options, tx });
  await tx.query('COMMIT');
  const same = await longshore.enqueue(receipt, 1, options);
  const [job, like] = [await longshore.jobs.get(id), await longshore.jobs.get(same.id)];
  const differ = { id: '', seq: 0, createdAt: 0 };
  assert.deepEqual({ ...job, ...differ }, { ...like, ...differ });
});

onPostgres('a held unique key gives receipts, and the transaction goes on', async ({ longshore, client }) => {
  const tx = await client();
  const holder = await longshore.enqueue(receipt, 'first', { unique: { key: 'a' } });
  await tx.query('BEGIN');
  const same = await longshore.enqueue(receipt, 'second', { unique: { key: 'a' }, tx });
  assert.deepEqual([same.id, same.status], [holder.id, 'existing']);
  const reject = longshore.enqueue(receipt, 'third', { unique: { key: 'a', mode: 'reject' }, tx });
  await assert.rejects(reject, { code: 'UNIQUE_CONFLICT' });
  await longshore.enqueue(receipt, 'fourth', { unique: { key: 'a', mode: 'replace' }, tx });
  assert.equal((await longshore.jobs.get(holder.id))?.input, 'first');
  await tx.query('COMMIT');
  assert.equal((await longshore.jobs.get(holder.id))?.input, 'fourth');
  assert.equal(await count(longshore), 1);
});

onPostgres(
  'a unique key that is not yet committed makes others wait, and then one job exists',
  async (shop) => {
    const tx = await shop.client();
    const watcher = await shop.client();
    for (const end of ['COMMIT', 'ROLLBACK']) {
      const unique = { key: `ends in ${end}` };
      await tx.query('BEGIN');
      const mine = await shop.longshore.enqueue(receipt, 1, { unique, tx });
      const others = shop.longshore.enqueue(receipt, 2, { unique });
      await eventually(async () => {
        const { rows } = await watcher.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1`,
          [`%${shop.schema}%`],
        );
        return rows.length === 1;
      });
      await tx.query(end);
      const { id, status } = await others;
      assert.deepEqual([status, id === mine.id], end === 'COMMIT' ? ['existing', true] : ['created', false]);
    }
  },
);

onPostgres(
  'a transaction that stays open with a keyed job holds up no settlement of that key',
  async (shop) => {
    const { longshore } = shop;
    const tx = await shop.client();
    await longshore.queues.setLimits('default', { perKey: { ordered: true } });
    const before = await longshore.enqueueMany(receipt, [1, 2], { key: 'ada' });
    await tx.query('BEGIN');
    const [third, fourth] = await longshore.enqueueMany(receipt, [3, 4], { key: 'ada', tx });
    const worker = longshore.worker({ tasks: [receipt] });
    await worker.start();
    assert.deepEqual(await Promise.all(before.map((job) => job.result())), [1, 2]);
    const order = record(longshore, 'job.completed');
    await tx.query('COMMIT');
    await fourth?.result();
    assert.deepEqual(
      order.map(({ event }) => event.id),
      [third?.id, fourth?.id],
    );
  },
);

for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
  onPostgres(`jobs of one key stay in order from a transaction that is ${level}`, async (shop) => {
    const { longshore } = shop;
    const tx = await shop.client();
    await longshore.queues.setLimits('default', { perKey: { ordered: true } });
    await tx.query(`BEGIN ISOLATION LEVEL ${level}`);
    await tx.query('SELECT 1 FROM pg_class LIMIT 1');
    const first = await longshore.enqueue(receipt, 1, { key: 'ada' });
    const second = await longshore.enqueue(receipt, 2, { key: 'ada', tx });
    await tx.query('COMMIT');
    const running = record(longshore, 'job.started', 'job.completed');
    await longshore.worker({ tasks: [receipt], concurrency: 5 }).runUntilIdle();
    assert.deepEqual(
      running.map(({ name, event }) => `${name} ${event.id}`),
      [first, second].flatMap(({ id }) => [`job.started ${id}`, `job.completed ${id}`]),
    );
  });
}

onPostgres('a waiting worker is woken by the commit', async ({ t, longshore, client, url }) => {
  const other = await connect(url);
  t.after(() => other.close());
  const tx = await client();
  await longshore.worker({ tasks: [receipt], queues: ['here'], pollMs: 600_000 }).start();
  await other.worker({ tasks: [receipt], queues: ['there'], pollMs: 600_000 }).start();
  const done = Promise.all([nextEvent(longshore, 'job.completed'), nextEvent(other, 'job.completed')]);
  await tx.query('BEGIN');
  await longshore.enqueue(receipt, 1, { queue: 'here', tx });
  await longshore.enqueue(receipt, 2, { queue: 'there', key: 'ada', tx });
  await tx.query('COMMIT');
  await done;
});

onPostgres('no event tells of a job whose commit is not known', async ({ longshore, client }) => {
  const tx = await client();
  const events = record(longshore, 'job.enqueued');
  await tx.query('BEGIN');
  await longshore.enqueue(receipt, 1, { tx });
  await longshore.enqueueMany(receipt, [1], { tx });
  await tx.query('COMMIT');
  await longshore.enqueue(receipt, 2);
  assert.equal(events.length, 1);
});

onPostgres('what is no transaction here is refused, and says why', async (shop) => {
  const { longshore, server, url } = shop;
  const pool = new pg.Pool({ connectionString: server });
  const refused: readonly [unknown, RegExp][] = [
    [
      {},
      /^tx is an object \(Object\); expected a transaction of pg .*postgres\.js, Drizzle, Kysely, Prisma or Knex/,
    ],
    [null, /^tx is null; expected a transaction/],
    ['BEGIN', /^tx is "BEGIN"; expected a transaction/],
    [pool, /this is a pool, which takes any connection for a query/],
    [new pg.Client({ connectionString: server }), /this is a client that is not connected/],
    [
      { query: async () => 7 },
      /expected a query\(text, values\) that resolves to the rows, or to \{ rows \}/,
    ],
  ];
  for (const [tx, message] of refused) {
    const call = longshore.enqueue(receipt, 1, { tx: tx as object });
    await assert.rejects(call, { code: 'OPTION_INVALID', message });
  }
  await pool.end();

  const admin = await shop.client();
  const database = `elsewhere_${shop.schema}`;
  await admin.query(`CREATE DATABASE ${database}`);
  const place = new URL(url);
  place.pathname = `/${database}`;
  place.search = '';
  const elsewhere = new pg.Client({ connectionString: place.href });
  await elsewhere.connect();
  await elsewhere.query('BEGIN');
  const call = longshore.enqueue(receipt, 1, { tx: elsewhere });
  await assert.rejects(call, {
    code: 'OPTION_INVALID',
    message:
      /^tx is a transaction in a database that has no tx_\w+\.enqueue_specs; expected one on PostgreSQL at /,
  });
  await elsewhere.end();
  await admin.query(`DROP DATABASE ${database}`);
  assert.equal(await count(longshore), 0);
});

onPostgres('errors of the driver pass as they are', async ({ longshore, client }) => {
  const tx = await client();
  await tx.query('BEGIN');
  await assert.rejects(tx.query('SELECT 1 / 0'));
  await assert.rejects(longshore.enqueue(receipt, 1, { tx }), { name: 'error', code: '25P02' });
  await tx.query('ROLLBACK');
});

onPostgres('a savepoint takes its jobs along', async ({ longshore, client }) => {
  const tx = await client();
  await tx.query('BEGIN');
  const kept = await longshore.enqueue(receipt, 1, { tx });
  await tx.query('SAVEPOINT here');
  await longshore.enqueue(receipt, 2, { tx, unique: { key: 'a' } });
  await tx.query('ROLLBACK TO here');
  await tx.query('COMMIT');
  const { jobs } = await longshore.jobs.list();
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [kept.id],
  );
});

onPostgres('whatever has query(text, values) will do', async ({ longshore, client }) => {
  const inner = await client();
  const tx = { query: async (text: string, values: unknown[]) => (await inner.query(text, values)).rows };
  await tx.query('BEGIN', []);
  const { id } = await longshore.enqueue(receipt, 1, { tx });
  await tx.query('COMMIT', []);
  assert.equal((await longshore.jobs.get(id))?.state, 'ready');
});

onPostgres('the rights that the documents name are enough, and no less', async (shop) => {
  const admin = await shop.client();
  const role = `clerk_${shop.schema}`;
  await admin.query(`CREATE ROLE ${role}`);
  const tx = await shop.client();
  await tx.query('BEGIN');
  await tx.query(`SET LOCAL ROLE ${role}`);
  await assert.rejects(shop.longshore.enqueue(receipt, 1, { tx }), { code: '42501' });
  await tx.query('ROLLBACK');
  await admin.query(
    `GRANT USAGE ON SCHEMA ${shop.schema} TO ${role};
     GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${shop.schema} TO ${role};
     GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${shop.schema} TO ${role}`,
  );
  await tx.query('BEGIN');
  await tx.query(`SET LOCAL ROLE ${role}`);
  const unique = { key: 'a', mode: 'replace' } as const;
  await shop.longshore.enqueueMany(receipt, [1, 2], { tx, key: 'ada', unique });
  await shop.longshore.enqueue(receipt, 1, { tx });
  await tx.query('COMMIT');
  await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  assert.equal(await count(shop.longshore), 2);
});

onPostgres(
  'plain SQL enqueues with every option, and says what is wrong',
  async ({ longshore, client, schema }) => {
    const sql = await client();
    const enqueue = async (list: string): Promise<string> =>
      (await sql.query(`SELECT ${schema}.enqueue(${list}) AS id`)).rows[0].id;
    const id = await enqueue(`'receipt', '{"a": [1, "ü"]}'`);
    const plain = await longshore.jobs.get(id);
    assert.deepEqual(
      [plain?.input, plain?.state, plain?.queue, plain?.attemptsMax],
      [{ a: [1, 'ü'] }, 'ready', 'default', 3],
    );
    const full = await longshore.jobs.get(
      await enqueue(
        `'receipt', NULL, 'images', -7, due_at => '2100-01-01T00:00:00Z', attempts => 9, key => 'ada'`,
      ),
    );
    assert.deepEqual(
      [full?.input, full?.queue, full?.priority, full?.state, full?.dueAt, full?.attemptsMax, full?.key],
      [undefined, 'images', -7, 'scheduled', Date.parse('2100-01-01'), 9, 'ada'],
    );
    const unique = await enqueue(`'receipt', '1', unique_key => 'one'`);
    assert.equal(await enqueue(`'receipt', '2', unique_key => 'one'`), unique);
    const same = await longshore.enqueue(receipt, 3, { unique: { key: 'one' } });
    assert.deepEqual([same.id, same.status], [unique, 'existing'], 'the client means the same key');
    const slashed = await enqueue(`'mail/50%', '1', unique_key => '7/8'`);
    const alike = await enqueue(`'mail', '1', unique_key => '50%/7/8'`);
    assert.notEqual(alike, slashed, 'task and key are told apart');
    assert.equal((await longshore.enqueue('mail/50%', 2, { unique: { key: '7/8' } })).id, slashed);
    await assert.rejects(enqueue(`'receipt', unique_key => 'one', unique_mode => 'reject'`), {
      code: '23505',
    });
    assert.equal(await enqueue(`'receipt', '4', unique_key => 'one', unique_mode => 'replace'`), unique);
    assert.equal((await longshore.jobs.get(unique))?.input, 4);
    for (const wrong of [
      `''`,
      'NULL',
      `'receipt', unique_key => repeat('\u6c34', 667)`,
      `'a', queue => '*'`,
      `'a', attempts => 0`,
      `'a', delay_ms => -1`,
      `E'a\\tb'`,
    ])
      await assert.rejects(enqueue(wrong), { code: '22023' }, wrong);
    const done = nextEvent(longshore, 'job.completed');
    await longshore.worker({ tasks: [receipt], queues: ['woken'], pollMs: 600_000 }).start();
    const woken = await enqueue(`'receipt', '5', 'woken'`);
    assert.equal((await done).id, woken);
  },
);
