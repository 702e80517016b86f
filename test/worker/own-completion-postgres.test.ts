/** A COMMIT whose answer is lost: whether it was carried out is found out, and the effect counts once either way. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import pg from 'pg';
import { defineTask } from '../../src/index.ts';
import { TcpProxy } from '../proxy.ts';
import { eventually, onEachStore, type Stage } from '../stage.ts';
import { openUserDatabase } from '../user-database.ts';

interface Scene {
  /** Of whose connections the way to the server can be cut. */
  readonly pool: pg.Pool;
  readonly proxy: TcpProxy;
  readonly account: string;
  balance(): Promise<number>;
  query(text: string): Promise<unknown>;
}

async function setUp(t: TestContext, stage: Stage): Promise<Scene> {
  const users = await openUserDatabase('postgres', stage.url);
  const url = new URL(stage.url);
  url.search = '';
  const proxy = await TcpProxy.start(t, url.href);
  const pool = new pg.Pool({ connectionString: proxy.through(url.href) });
  pool.on('error', () => {});
  t.after(async () => {
    await pool.end();
    await users.close();
  });
  const account = `${users.prefix}account`;
  const query = (text: string) => users.query(users.db, text);
  await query(`CREATE TABLE ${account} (balance integer NOT NULL)`);
  await query(`INSERT INTO ${account} VALUES (0)`);
  return {
    pool,
    proxy,
    account,
    query,
    balance: async () => (await query(`SELECT balance FROM ${account}`))[0]?.balance as number,
  };
}

function onPostgres(title: string, body: (stage: Stage, scene: Scene) => Promise<void>): void {
  onEachStore(title, async (stage) => body(stage, await setUp(stage.t, stage)), ['postgres']);
}

onPostgres('it committed: the job is completed, and does not run again', async (stage, scene) => {
  const { pool, proxy, account } = scene;
  const longshore = await stage.connect();
  proxy.onSaid = (link, data) => {
    if (!data.includes('COMMIT')) return;
    // The server hears it and carries it out; what it answers is lost.
    link.hold();
    void eventually(() => link.holding).then(() => link.cut());
  };
  let runs = 0;
  const pay = defineTask({
    name: 'pay',
    run: ({ transaction }) => {
      runs += 1;
      return transaction(pool, async (tx) => {
        await tx.query(`UPDATE ${account} SET balance = balance + 1`);
        return runs;
      });
    },
  });
  const job = await longshore.enqueue(pay, null);
  const summary = await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.deepEqual([summary.completed, summary.retried, summary.lost, runs], [1, 0, 0, 1]);
  assert.equal(await job.result(), 1);
  assert.equal(await scene.balance(), 1);
});

onPostgres('it did not commit: the attempt failed, and the next one counts', async (stage, scene) => {
  const { pool, account, query } = scene;
  const dies = account.replace(/account$/, 'dies');
  const longshore = await stage.connect();
  // The server ends the first connection that commits, before it has.
  await query(`CREATE FUNCTION ${dies}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.balance = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$`);
  await query(`CREATE CONSTRAINT TRIGGER dies AFTER UPDATE ON ${account} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ${dies}()`);
  let runs = 0;
  const pay = defineTask({
    name: 'pay',
    backoff: 0,
    run: ({ transaction }) => {
      runs += 1;
      return transaction(pool, async (tx) => {
        await tx.query(`UPDATE ${account} SET balance = balance + ${runs}`);
        return runs;
      });
    },
  });
  const job = await longshore.enqueue(pay, null);
  const summary = await longshore.worker({ tasks: [pay] }).runUntilIdle();
  await query(`DROP TRIGGER dies ON ${account}`);
  await query(`DROP FUNCTION ${dies}`);
  assert.deepEqual([summary.completed, summary.retried, summary.lost, runs], [1, 1, 0, 2]);
  assert.equal(await job.result(), 2);
  assert.equal(await scene.balance(), 2);
});

onPostgres(
  'a transaction on another database is refused, and nothing of it is committed',
  async (stage, scene) => {
    const longshore = await stage.connect();
    const database = `elsewhere_${process.pid}`;
    await scene.query(`CREATE DATABASE ${database}`);
    const url = new URL(stage.url);
    url.search = '';
    url.pathname = `/${database}`;
    const elsewhere = new pg.Pool({ connectionString: url.href });
    await elsewhere.query('CREATE TABLE account (balance integer)');
    const pay = defineTask({
      name: 'pay',
      attempts: 1,
      run: ({ transaction }) =>
        transaction(elsewhere, async (tx) => void (await tx.query('INSERT INTO account VALUES (1)'))),
    });
    const { id } = await longshore.enqueue(pay, null);
    await longshore.worker({ tasks: [pay] }).runUntilIdle();
    const job = await longshore.jobs.get(id);
    assert.deepEqual([job?.state, job?.errors[0]?.code], ['failed', 'OPTION_INVALID']);
    assert.match(job?.errors[0]?.message ?? '', /has no \w+\.complete_in; expected one on PostgreSQL at /);
    assert.equal((await elsewhere.query('SELECT FROM account')).rowCount, 0);
    await elsewhere.end();
    await scene.query(`DROP DATABASE ${database}`);
  },
);

onPostgres('a connection that the store borrows is the pool where none is named', async (stage, scene) => {
  const longshore = await stage.connect({ client: scene.pool });
  const pay = defineTask({
    name: 'pay',
    run: ({ transaction }) =>
      transaction(async (tx: pg.PoolClient) => {
        await tx.query(`UPDATE ${scene.account} SET balance = balance + 1`);
      }),
  });
  await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal(await scene.balance(), 1);
});

onPostgres('a transaction, a client and what a statement broke are told apart', async (stage, scene) => {
  const longshore = await stage.connect();
  const { pool, account } = scene;
  const codes: unknown[] = [];
  const note = (error: { code?: unknown }): void => void codes.push(error.code);
  const pay = defineTask({
    name: 'pay',
    attempts: 1,
    run: async ({ transaction, complete }) => {
      const client = await pool.connect();
      await transaction(client, async () => 1).catch(note);
      client.release();
      await transaction(pool, async (tx) => {
        await tx.query(`UPDATE ${account} SET balance = balance + 1`);
        await tx.query('SELECT nothing FROM nowhere').catch(note);
      }).catch(note);
      // COMMIT of what a statement broke afterwards rolls back, and says so to nobody.
      const own = await pool.connect();
      await own.query('BEGIN');
      await own.query(`UPDATE ${account} SET balance = balance + 1`);
      await complete('paid', { tx: own });
      await own.query('SELECT nothing FROM nowhere').catch(note);
      await own.query('COMMIT');
      own.release();
    },
  });
  const { id } = await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.deepEqual(codes, ['OPTION_INVALID', '42P01', '25P02', '42P01']);
  assert.equal((await longshore.jobs.get(id))?.errors[0]?.code, 'TRANSACTION_ROLLED_BACK');
  assert.equal(await scene.balance(), 0);
});
