/** Jobs in a transaction of the caller's on the embedded store: node:sqlite's own connection to the same file. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { connect, defineTask, type Longshore } from '../../src/index.ts';
import { nextEvent, onEachStore, record, type Stage, temporaryFolder } from '../stage.ts';

const receipt = defineTask({ name: 'receipt', run: ({ input }) => input });

/** The shop's own table lives in the file of the jobs. */
function openShop(
  stage: Stage,
  options: { readBigInts?: boolean; returnArrays?: boolean } = {},
): DatabaseSync {
  const shop = new DatabaseSync(stage.url.slice('sqlite:'.length), { timeout: 5_000, ...options });
  stage.t.after(() => {
    if (shop.isOpen) shop.close();
  });
  shop.exec('CREATE TABLE IF NOT EXISTS shop_order (id INTEGER PRIMARY KEY, total INTEGER)');
  return shop;
}

function onSqlite(title: string, body: (stage: Stage, longshore: Longshore) => Promise<void>): void {
  onEachStore(title, async (stage) => body(stage, await stage.connect()), ['sqlite']);
}

async function count(longshore: Longshore): Promise<number> {
  return (await longshore.jobs.list({ limit: 1_000 })).jobs.length;
}

onSqlite('a job exists exactly if the transaction commits', async (stage, longshore) => {
  const shop = openShop(stage);
  shop.exec('BEGIN IMMEDIATE');
  shop.exec('INSERT INTO shop_order (total) VALUES (10)');
  const lost = await longshore.enqueue(receipt, 1, { tx: shop });
  await longshore.enqueueMany(receipt, Array(50).fill(2), { tx: shop });
  assert.equal(await count(longshore), 0, 'nothing is seen before the commit');
  shop.exec('ROLLBACK');
  assert.equal(await count(longshore), 0);
  await assert.rejects(lost.result(), { code: 'JOB_UNKNOWN' });

  shop.exec('BEGIN IMMEDIATE');
  shop.exec('INSERT INTO shop_order (total) VALUES (20)');
  const kept = await longshore.enqueue(receipt, { total: 20 }, { tx: shop });
  shop.exec('COMMIT');
  assert.equal(kept.status, 'created');
  assert.equal((await longshore.jobs.get(kept.id))?.state, 'ready');
  assert.equal(shop.prepare('SELECT count(*) AS orders FROM shop_order').get()?.orders, 1);
  await longshore.worker({ tasks: [receipt] }).runUntilIdle();
  assert.deepEqual(await kept.result(), { total: 20 });
});

onSqlite(
  'a batch in a transaction is written whole, in order, large inputs included',
  async (stage, longshore) => {
    const shop = openShop(stage, { readBigInts: true, returnArrays: true });
    const inputs = Array.from({ length: 100 }, (_, index) => 'x'.repeat(index * 50));
    shop.exec('BEGIN IMMEDIATE');
    const handles = await longshore.enqueueMany(receipt, inputs, { tx: shop });
    shop.exec('COMMIT');
    const { jobs } = await longshore.jobs.list({ limit: 1_000 });
    assert.deepEqual(
      jobs.map(({ id }) => id).reverse(),
      handles.map(({ id }) => id),
    );
    assert.deepEqual(jobs.map(({ input }) => input).reverse(), inputs);
  },
);

onSqlite('a held unique key gives receipts, and the transaction goes on', async (stage, longshore) => {
  const shop = openShop(stage);
  const holder = await longshore.enqueue(receipt, 'first', { unique: { key: 'a' } });
  shop.exec('BEGIN IMMEDIATE');
  const same = await longshore.enqueue(receipt, 'second', { unique: { key: 'a' }, tx: shop });
  assert.deepEqual([same.id, same.status], [holder.id, 'existing']);
  const unique = { key: 'a', mode: 'reject' } as const;
  await assert.rejects(longshore.enqueue(receipt, 'third', { unique, tx: shop }), {
    code: 'UNIQUE_CONFLICT',
  });
  const replace = { key: 'a', mode: 'replace' } as const;
  await longshore.enqueue(receipt, 'fourth', { unique: replace, tx: shop });
  shop.exec('INSERT INTO shop_order (total) VALUES (1)');
  assert.equal((await longshore.jobs.get(holder.id))?.input, 'first');
  shop.exec('COMMIT');
  assert.equal((await longshore.jobs.get(holder.id))?.input, 'fourth');
  assert.equal(await count(longshore), 1);
});

onSqlite('jobs of one key, enqueued in a transaction, take turns', async (stage, longshore) => {
  const shop = openShop(stage);
  await longshore.queues.setLimits('default', { perKey: { ordered: true } });
  shop.exec('BEGIN IMMEDIATE');
  const handles = await longshore.enqueueMany(receipt, [1, 2, 3], { key: 'ada', tx: shop });
  shop.exec('COMMIT');
  const order = record(longshore, 'job.completed');
  await longshore.worker({ tasks: [receipt], concurrency: 3 }).runUntilIdle();
  assert.deepEqual(
    order.map(({ event }) => event.id),
    handles.map(({ id }) => id),
  );
});

onSqlite(
  'a waiting worker is woken by the commit, in its own process and in others',
  async (stage, longshore) => {
    const other = await stage.connect();
    const shop = openShop(stage);
    const worker = longshore.worker({ tasks: [receipt], queues: ['here'], pollMs: 600_000 });
    const distant = other.worker({ tasks: [receipt], queues: ['there'], pollMs: 600_000 });
    await Promise.all([worker.start(), distant.start()]);
    const done = Promise.all([nextEvent(longshore, 'job.completed'), nextEvent(other, 'job.completed')]);
    shop.exec('BEGIN IMMEDIATE');
    await longshore.enqueue(receipt, 1, { queue: 'here', tx: shop });
    await longshore.enqueue(receipt, 2, { queue: 'there', tx: shop });
    shop.exec('COMMIT');
    await done;
  },
);

onSqlite('a connection that was closed and opened again will do', async (stage, longshore) => {
  const shop = openShop(stage);
  for (const total of [1, 2]) {
    shop.exec('BEGIN IMMEDIATE');
    await longshore.enqueue(receipt, total, { tx: shop });
    shop.exec('COMMIT');
    shop.close();
    shop.open();
  }
  assert.equal(await count(longshore), 2);
});

onEachStore(
  'with a key ring, what goes into a transaction is encrypted',
  async (stage) => {
    const encryption = { keys: [{ id: 'a', key: randomBytes(32) }] };
    const longshore = await stage.connect({ encryption });
    const shop = openShop(stage);
    shop.exec('BEGIN IMMEDIATE');
    const { id } = await longshore.enqueue(receipt, 'the secret', { tx: shop });
    const row = shop.prepare('SELECT input FROM job WHERE id = ?').get(id);
    assert.doesNotMatch(String(row?.input), /the secret/);
    shop.exec('COMMIT');
    assert.equal((await longshore.jobs.get(id))?.input, 'the secret');
  },
  ['sqlite'],
);

onSqlite('no event tells of a job whose commit is not known', async (stage, longshore) => {
  const shop = openShop(stage);
  const events = record(longshore, 'job.enqueued');
  shop.exec('BEGIN IMMEDIATE');
  await longshore.enqueue(receipt, 1, { tx: shop });
  await longshore.enqueueMany(receipt, [1], { tx: shop });
  shop.exec('COMMIT');
  await longshore.enqueue(receipt, 2);
  assert.equal(events.length, 1);
});

onSqlite('what is no transaction on the store’s file is refused, and says why', async (stage, longshore) => {
  const shop = openShop(stage);
  const elsewhere = new DatabaseSync(join(await temporaryFolder(stage.t), 'app.db'));
  elsewhere.exec('BEGIN');
  const memory = new DatabaseSync(':memory:');
  memory.exec('BEGIN');
  const closed = new DatabaseSync(':memory:');
  closed.close();
  const refused: readonly [unknown, RegExp][] = [
    [{}, /^tx is an object \(Object\); expected a DatabaseSync of node:sqlite with an open transaction/],
    [null, /tx is null; expected a DatabaseSync/],
    ['BEGIN', /tx is "BEGIN"; expected a DatabaseSync/],
    [shop, /but none is open: begin with BEGIN IMMEDIATE/],
    [elsewhere, /jobs\.db, but it is on .*app\.db/],
    [memory, /but it is on a database in memory/],
    [closed, /but it is closed/],
  ];
  for (const [tx, message] of refused) {
    const call = longshore.enqueue(receipt, 1, { tx: tx as object });
    await assert.rejects(call, { code: 'OPTION_INVALID', message });
  }
  elsewhere.close();
  memory.close();
  assert.equal(await count(longshore), 0);
});

onSqlite('an enqueue that fails leaves the transaction as it was', async (stage, longshore) => {
  const shop = openShop(stage);
  shop.exec('BEGIN IMMEDIATE');
  shop.exec('INSERT INTO shop_order (total) VALUES (1)');
  shop.exec(`CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.job WHEN NEW.input = '"bad"'
    BEGIN SELECT raise(ABORT, 'the shop says no'); END`);
  const call = longshore.enqueueMany(receipt, ['good', 'bad'], { tx: shop });
  await assert.rejects(call, { code: 'STORE_FAILED', message: /the shop says no/ });
  shop.exec('COMMIT');
  assert.equal(await count(longshore), 0);
  assert.equal(shop.prepare('SELECT count(*) AS orders FROM shop_order').get()?.orders, 1);
});

onSqlite('a transaction that cannot get the file’s lock is told how to begin', async (stage, longshore) => {
  const [shop, rival] = [openShop(stage), openShop(stage)];
  shop.exec('PRAGMA busy_timeout = 0');
  rival.exec('BEGIN IMMEDIATE');
  shop.exec('BEGIN');
  const call = longshore.enqueue(receipt, 1, { tx: shop });
  await assert.rejects(call, {
    code: 'STORE_BUSY',
    message: /begin it with BEGIN IMMEDIATE, on a connection with a timeout/,
  });
  shop.exec('ROLLBACK');
  rival.exec('ROLLBACK');
});

onSqlite('all jobs of a batch have the same transaction', async (stage, longshore) => {
  const shop = openShop(stage);
  shop.exec('BEGIN IMMEDIATE');
  const call = longshore.enqueueMany(receipt, [1, 2], (_input, index) => (index === 0 ? { tx: shop } : {}));
  await assert.rejects(call, {
    code: 'OPTION_INVALID',
    message: /^inputs\[1\]: tx is undefined; expected that of inputs\[0\]/,
  });
  shop.exec('ROLLBACK');
});

onEachStore(
  'a store that has no transactions to share refuses one',
  async (stage) => {
    const longshore = await stage.connect();
    const call = longshore.enqueue(receipt, 1, { tx: {} });
    await assert.rejects(call, {
      code: 'OPTION_INVALID',
      message: /^tx is an object \(Object\); expected to be left out/,
    });
  },
  ['memory'],
);

test('after close(), a transaction is refused like every other call', async (t: TestContext) => {
  const file = join(await temporaryFolder(t), 'jobs.db');
  const longshore = await connect(`sqlite:${file}`);
  await longshore.close();
  const shop = new DatabaseSync(file);
  shop.exec('BEGIN IMMEDIATE');
  await assert.rejects(longshore.enqueue(receipt, 1, { tx: shop }), { code: 'STORE_CLOSED' });
  shop.close();
});
