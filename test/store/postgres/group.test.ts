import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { LongshoreError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import type { JobSpec } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, retried, spec } from '../../../src/testing/store-conformance/trial.ts';
import { TcpProxy } from '../../proxy.ts';
import { eventually } from '../../stage.ts';
import { DeafProxy } from './deaf-proxy.ts';
import { Ground } from './ground.ts';

/** With the server's clock, so that leases do not end meanwhile. */
const claimNow = () => {
  const { now: _, ...request } = claimRequest({ limit: 10 });
  return request;
};

test('only the call that cannot be carried out fails, not those that went with it', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const bad = spec({ priority: 2 ** 40 });
  const outcomes = await Promise.allSettled([
    store.enqueue([spec({ queue: 'a' })]),
    store.enqueue([bad]),
    store.configureQueue('a', { limits: { concurrency: 0 } }),
    store.enqueue([spec({ queue: 'a' })]),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  const [{ counts } = { counts: { ready: 0 } }] = await store.queues();
  assert.equal(counts.ready, 2);
});

test('outcomes and notes of one turn keep their order, and one job its first outcome', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const jobs = [spec(), spec()];
  await store.enqueue(jobs);
  const [one, other] = (await store.claim(claimNow())).leases;
  assert.ok(one !== undefined && other !== undefined);
  const [notes, first, second, mixed, claimed] = await Promise.all([
    store.annotate([{ id: one.id, token: one.token, progress: '0.5' }]),
    store.settle([{ ...one, outcome: completed('1') }]),
    store.settle([{ ...one, outcome: completed('2') }]),
    store.settle([
      { ...other, outcome: retried(0) },
      { ...one, outcome: retried(0) },
    ]),
    store.claim(claimNow()),
  ]);
  assert.deepEqual(
    [notes, first, second],
    [['noted'], [{ status: 'settled', state: 'completed' }], [{ status: 'lost' }]],
  );
  assert.deepEqual(mixed, [{ status: 'settled', state: 'ready' }, { status: 'lost' }]);
  assert.deepEqual(ids(claimed.leases), [other.id]);
  const [ended] = await store.get([one.id]);
  assert.deepEqual([ended?.result, ended?.progress], ['1', '0.5']);
});

test('a connection that broke while it was idle is not noticed', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const name = `idle ${ground.schema}`;
  const store = await ground.store({}, ground.urlWith({ application_name: name }));
  await store.enqueue([spec()]);
  const killed = await ground.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
    [name],
  );
  assert.ok(killed.length > 0);
  assert.equal((await store.claim(claimNow())).leases.length, 1);
});

test('a claim whose answer was lost is made again, and its jobs are given back uncharged', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await DeafProxy.start(t, ground.server);
  const direct = await ground.store();
  const job = spec();
  await direct.enqueue([job]);
  const store = await ground.store({}, ground.urlWith({ host: '127.0.0.1', port: proxy.port }));
  proxy.deaf = true;
  const claiming = store.claim(claimNow());
  await eventually(async () => (await direct.get([job.id]))[0]?.state === 'running');
  proxy.deaf = false;
  proxy.cut();
  const { leases } = await claiming;
  assert.deepEqual(
    leases.map(({ id, attempt, token }) => [id, attempt, token.startsWith('1.')]),
    [[job.id, 1, false]],
  );
  const leasesKept = await ground.query(`SELECT live FROM ${ground.name}.lease`);
  assert.deepEqual(leasesKept, [{ live: 1 }]);
});

test('the jobs of a claim whose answer cannot be read are given back uncharged by the next one', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await TcpProxy.start(t, ground.server);
  const { port } = new URL(proxy.through(ground.server));
  const store = await ground.store({}, ground.urlWith({ host: '127.0.0.1', port }));
  const jobs = [spec(), spec()];
  await store.enqueue(jobs);
  // Says of a job's row that its texts are JSON.
  proxy.spoils = (data) => Buffer.from(data.toString('latin1').replace(';f;2;f;', ';f;2;t;'), 'latin1');
  await assert.rejects(store.claim(claimNow()), { code: 'STORE_FAILED' });
  proxy.spoils = (data) => data;
  const { leases } = await store.claim(claimNow());
  assert.deepEqual(
    leases.map(({ id, attempt }) => [id, attempt]),
    jobs.map(({ id }) => [id, 1]),
  );
});

test('a claim is refused, and not tried for ever, where what an earlier one lost cannot be given back', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await DeafProxy.start(t, ground.server);
  const direct = await ground.store();
  const jobs = [spec(), spec()];
  await direct.enqueue(jobs);
  const url = ground.urlWith({ host: '127.0.0.1', port: proxy.port, timeoutMs: '500' });
  const store = await ground.store({}, url);
  proxy.deaf = true;
  await assert.rejects(store.claim({ ...claimNow(), limit: 1 }), { code: 'STORE_UNAVAILABLE' });
  proxy.deaf = false;
  proxy.cut();
  await ground.query(`ALTER TABLE ${ground.name}.lease RENAME TO lease_elsewhere`);
  await assert.rejects(store.claim(claimNow()), { code: 'STORE_OUTDATED' });
  await ground.query(`ALTER TABLE ${ground.name}.lease_elsewhere RENAME TO lease`);
  assert.deepEqual(
    ids((await store.claim(claimNow())).leases),
    jobs.map(({ id }) => id),
  );
});

test('an enqueue and a settlement whose answers were lost count once', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await DeafProxy.start(t, ground.server);
  const direct = await ground.store();
  const store = await ground.store({}, ground.urlWith({ host: '127.0.0.1', port: proxy.port }));
  const job = spec();
  proxy.deaf = true;
  const enqueuing = store.enqueue([job]);
  await eventually(async () => (await direct.get([job.id]))[0] !== null);
  proxy.deaf = false;
  proxy.cut();
  assert.deepEqual(await enqueuing, [{ status: 'existing', id: job.id, state: 'ready' }]);
  const [lease] = (await store.claim(claimNow())).leases;
  assert.ok(lease !== undefined);
  proxy.deaf = true;
  const settling = store.settle([{ ...lease, outcome: completed('1') }]);
  await eventually(async () => (await direct.get([job.id]))[0]?.state === 'completed');
  proxy.deaf = false;
  proxy.cut();
  assert.deepEqual(await settling, [{ status: 'lost' }]);
  assert.equal((await direct.get([job.id]))[0]?.result, '1');
});

test('an enqueue whose answer was lost is not added again when its job has ended meanwhile', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await DeafProxy.start(t, ground.server);
  const direct = await ground.store();
  const store = await ground.store({}, ground.urlWith({ host: '127.0.0.1', port: proxy.port }));
  const jobs = [{}, {}, { key: 'k' }].map((values): JobSpec => ({ ...spec(values), isNew: true }));
  for (const given of [jobs.slice(0, 1), jobs.slice(1)]) {
    proxy.deaf = true;
    const enqueuing = store.enqueue(given);
    const ids = given.map(({ id }) => id);
    await eventually(async () => (await direct.get(ids)).every((job) => job !== null));
    const { leases } = await direct.claim(claimNow());
    await direct.settle(leases.map((lease) => ({ ...lease, outcome: completed(null) })));
    proxy.deaf = false;
    proxy.cut();
    assert.deepEqual(
      await enqueuing,
      ids.map((id) => ({ status: 'existing', id, state: 'completed' })),
    );
  }
});

test('an enqueue that was cut off is repeated, also where it went with a call that cannot be', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await DeafProxy.start(t, ground.server);
  const [name, port] = [`cut ${ground.schema}`, proxy.port];
  const store = await ground.store({}, ground.urlWith({ host: '127.0.0.1', port, application_name: name }));
  const [job, other] = [spec(), spec()];
  await store.enqueue([other]);
  proxy.deaf = true;
  const cancel = { type: 'cancel', id: other.id, by: 'ada', why: null } as const;
  const calls = Promise.allSettled([store.enqueue([job]), store.control([cancel])]);
  await eventually(async () => {
    const begun = await ground.query(
      "SELECT FROM pg_stat_activity WHERE application_name = $1 AND state = 'idle in transaction'",
      [name],
    );
    return begun.length > 0;
  });
  proxy.deaf = false;
  proxy.cut();
  const [enqueued, cancelled] = await calls;
  assert.deepEqual([enqueued.status, cancelled.status], ['fulfilled', 'rejected']);
  assert.deepEqual(
    (await store.get([job.id, other.id])).map((kept) => kept?.state),
    ['ready', 'ready'],
  );
});

test('a server that does not answer is given up after the time the URL says', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const proxy = await DeafProxy.start(t, ground.server);
  const url = ground.urlWith({ host: '127.0.0.1', port: proxy.port, timeoutMs: '200' });
  const store = await ground.store({}, url);
  proxy.deaf = true;
  const slow = (error: unknown) =>
    error instanceof LongshoreError && error.code === 'STORE_UNAVAILABLE' && /200 ms/.test(error.message);
  await assert.rejects(store.enqueue([spec()]), slow);
  proxy.deaf = false;
  proxy.cut();
  assert.equal((await store.enqueue([spec()]))[0]?.status, 'created');
});

test('a borrowed pool is used as it is and not closed', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const pool = new pg.Pool({ connectionString: ground.server, max: 2 });
  t.after(() => pool.end());
  const store = await ground.store({ client: pool });
  const jobs = [spec(), spec()];
  await store.enqueue(jobs);
  const { leases } = await store.claim(claimNow());
  const [receipts, { leases: none }] = await Promise.all([
    store.settle(leases.map((lease) => ({ ...lease, outcome: completed() }))),
    store.claim(claimNow()),
  ]);
  assert.deepEqual([receipts.length, none.length], [2, 0]);
  await store.close();
  const { rows } = await pool.query("SELECT 5::bigint AS big, '{}'::json AS json");
  assert.deepEqual(rows, [{ big: '5', json: {} }]);
});

test('ids that cannot be any job are no such job', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const [lost, missing, unknown] = await Promise.all([
    store.settle([
      { id: 'nonsense', token: '1.1', outcome: completed() },
      { id: newId(), token: '99999999999999999999.1', outcome: completed() },
    ]),
    store.get(['nonsense']),
    store.control([{ type: 'remove', id: 'nonsense', by: 'ada', why: null }]),
  ]);
  assert.deepEqual(lost, [{ status: 'lost' }, { status: 'lost' }]);
  assert.deepEqual([missing, unknown], [[null], [{ status: 'unknown', state: null }]]);
});

test('no transaction of outcomes notifies by itself', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const other = await ground.store();
  await other.enqueue([1, 2, 3, 4].map(() => spec()));
  const [one, two, three, four] = (await other.claim(claimNow())).leases;
  assert.ok(one !== undefined && two !== undefined && three !== undefined && four !== undefined);
  await ground.query(
    `CREATE OR REPLACE FUNCTION ${ground.name}.hint(sender text, topics text) RETURNS void LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'nobody may notify now'; END $$`,
  );
  // Of a store that has told nothing yet, the first transaction that may notify does.
  const ends = async (leases: readonly (typeof one)[], outcome: ReturnType<typeof completed>) => {
    const store = await ground.store();
    const receipts = await store.settle(leases.map((lease) => ({ ...lease, outcome })));
    assert.ok(receipts.every(({ status }) => status === 'settled'));
  };
  await ends([one], completed(null));
  await ends([two, three], completed(null));
  await ends([four], retried(0));
  const store = await ground.store();
  await assert.rejects(store.enqueue([spec()]), /nobody may notify now/);
});
