import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, defineTask } from '../../../src/index.ts';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import { storeConformance } from '../../../src/testing/index.ts';
import { claimRequest, spec } from '../../../src/testing/store-conformance/trial.ts';
import { freshSchema } from '../../fresh-schema.ts';
import { sharedServer } from '../../servers.ts';
import { eventually } from '../../stage.ts';
import { openUserDatabase } from '../../user-database.ts';
import { missingPooler, startPooler } from './pooler.ts';

/** Everything the contract promises, through a real PgBouncer in transaction mode. */
const { url: server, missing } = await sharedServer('postgres');
const skip = missing ?? missingPooler();

if (server === undefined || skip !== undefined) {
  test('PostgreSQL behind PgBouncer conforms to the contract', { skip: skip ?? 'no server' });
} else {
  const pooler = await startPooler(server);
  // It ends with this process.
  pooler.unref();

  /** The pooler keeps connections to the server, so those of a store cannot be told by a name. */
  const through = (url: string): string => {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(pooler.port);
    changed.searchParams.delete('application_name');
    return changed.href;
  };

  storeConformance({
    name: 'PostgreSQL behind PgBouncer',
    test,
    describe: (name, body) => describe(name, { concurrency: 4 }, body),
    open: async (options) => {
      const place = await freshSchema(server, postgresDriver);
      const reopen = () => postgresDriver.open(through(place.url), options);
      const store = await reopen();
      const users = await openUserDatabase('postgres', place.url);
      const close = async () => {
        await users.close();
        await store.close();
        await place.remove();
      };
      return { store, close, reopen, begin: () => users.begin() };
    },
  });

  test('the pooler is noticed: nothing listens and no statement is prepared by name', async (t) => {
    const place = await freshSchema(server, postgresDriver);
    t.after(() => place.remove());
    const store = await postgresDriver.open(through(place.url), {});
    t.after(() => store.close());
    assert.deepEqual([store.capabilities.notify, store.notifier.crossProcess], [false, false]);
    const turns = Array.from({ length: 50 }, async () => {
      await store.enqueue([spec()]);
      return (await store.claim(claimRequest({ limit: 1 }))).leases.length;
    });
    const claimed = await Promise.all(turns);
    assert.equal(
      claimed.reduce((sum, jobs) => sum + jobs, 0),
      50,
    );
  });

  test('a worker behind the pooler runs jobs of another process, by polling, and its thread keeps leases', async (t) => {
    const place = await freshSchema(server, postgresDriver);
    t.after(() => place.remove());
    const producer = await connect(through(place.url));
    t.after(() => producer.close());
    const consumer = await connect(through(place.url));
    t.after(() => consumer.close());
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const task = defineTask({
      name: 'double',
      run: async ({ input }: { input: unknown }) => {
        if (input === 0) await gate;
        return Number(input) * 2;
      },
    });
    const worker = consumer.worker({ tasks: [task], concurrency: 4, pollMs: 20, leaseMs: 1_000 });
    await worker.start();
    const [first] = await Promise.all([0, 1, 2, 3].map((input) => producer.enqueue(task, input)));
    const jobs = await Promise.all([1, 2, 3].map((input) => producer.enqueue(task, input)));
    assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [2, 4, 6]);
    const look = async () => (await producer.workers())[0]?.seenAt ?? 0;
    const before = await look();
    await eventually(async () => (await look()) > before);
    open();
    assert.equal(await first?.result(), 0);
    await worker.stop();
    assert.deepEqual(await producer.workers(), []);
  });

  test('the schema is migrated and examined through the pooler', async (t) => {
    const place = await freshSchema(server, postgresDriver);
    t.after(() => place.remove());
    const report = await postgresDriver.migrate(through(place.url), { dryRun: false });
    assert.deepEqual(report.steps, []);
    const findings = await postgresDriver.doctor(through(place.url));
    assert.deepEqual(
      findings.filter(({ level }) => level === 'fault'),
      [],
    );
  });
}
