import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import pg from 'pg';
import { giveBack } from '../../../src/store/postgres/give-back.ts';
import { channelOf } from '../../../src/store/postgres/hints.ts';
import { claimRequest, completed, ids, retried, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually } from '../../stage.ts';
import { Ground } from './ground.ts';

/** With the server's clock, so that leases do not end meanwhile. */
const claimNow = (limit = 10) => {
  const { now: _, ...request } = claimRequest({ limit });
  return request;
};

/** Until a call of this function waits for a lock. A transaction keeps what it once saw of the others' activity. */
const untilOneWaits = (ground: Ground, name: string) =>
  eventually(async () => {
    await ground.query('SELECT pg_stat_clear_snapshot()');
    const [row] = await ground.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks JOIN pg_stat_activity USING (pid)
       WHERE NOT granted AND query LIKE $1`,
      [`%${ground.schema}%${name}(%`],
    );
    return (row?.waiting ?? 0) > 0;
  });

/** The versions of the rows of `job`, by id. */
async function versions(ground: Ground): Promise<unknown[]> {
  return ground.query(`SELECT id, xmin, turn FROM ${ground.name}.job ORDER BY seq`);
}

test('a claim of fresh jobs leaves their rows as they are, and still they run', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const jobs = [spec(), spec(), spec()];
  await store.enqueue(jobs);
  const before = await versions(ground);
  const { leases, now } = await store.claim(claimNow(2));
  assert.deepEqual(await versions(ground), before);
  assert.deepEqual(
    leases.map(({ attempt }) => attempt),
    [1, 1],
  );
  const seen = await store.get(ids(jobs));
  assert.deepEqual(
    seen.map((job) => [job?.state, job?.attempt, job?.startedAt, job?.workerId]),
    [
      ['running', 1, now, 'w1'],
      ['running', 1, now, 'w1'],
      ['ready', 0, null, null],
    ],
  );
  const [{ counts } = { counts: null }] = await store.queues();
  assert.deepEqual([counts?.ready, counts?.running], [1, 2]);
  const listed = async (state: 'ready' | 'running') =>
    (await store.list({ states: [state], limit: 9 })).jobs.length;
  assert.deepEqual([await listed('ready'), await listed('running')], [1, 2]);
  assert.equal((await store.enqueue([jobs[0] as (typeof jobs)[0]]))[0]?.state, 'running');
});

test('fresh jobs and those that come back form one line', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const jobs = [spec(), spec(), spec({ priority: -1 }), spec(), spec({ priority: 1 }), spec()];
  await store.enqueue(jobs);
  const [a, b, first, c, last, d] = ids(jobs);
  const { leases } = await store.claim(claimNow(3));
  assert.deepEqual(ids(leases), [first, a, b]);
  await store.settle(leases.map((lease) => ({ ...lease, outcome: retried(0) })));
  assert.deepEqual(ids((await store.claim(claimNow(2))).leases), [first, a]);
  const rest = (await store.claim(claimNow())).leases;
  assert.deepEqual(ids(rest), [b, c, d, last]);
  assert.deepEqual(
    rest.map(({ attempt }) => attempt),
    [2, 1, 1, 1],
  );
  const settled = await store.settle(rest.map((lease) => ({ ...lease, outcome: completed() })));
  assert.ok(settled.every(({ status }) => status === 'settled'));
  assert.deepEqual(
    await ground.query(`SELECT token FROM ${ground.name}.lease WHERE live <> 2 OR worker_id <> 'w1'`),
    [],
  );
});

test('the number of another lease ends no fresh job, be it waiting or running', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue([spec(), spec(), spec()]);
  const [one] = (await store.claim(claimNow(1))).leases;
  const [other] = (await store.claim(claimNow(1))).leases;
  const { jobs } = await store.list({ limit: 3 });
  assert.ok(one !== undefined && other !== undefined);
  const number = one.token.split('.')[0];
  const forged = jobs
    .filter(({ id }) => id !== one.id)
    .map(({ id, seq }) => ({ id, token: `${number}.${seq}`, outcome: completed() }));
  assert.equal(forged.length, 2);
  assert.deepEqual(await store.settle(forged), [{ status: 'lost' }, { status: 'lost' }]);
  const failing = forged.map(({ id, token }) => ({ id, token, outcome: retried(0) }));
  assert.deepEqual(await store.settle(failing), [{ status: 'lost' }, { status: 'lost' }]);
  const kept = await store.settle([one, other].map((lease) => ({ ...lease, outcome: completed() })));
  assert.ok(kept.every(({ status }) => status === 'settled'));
});

test('who changes a fresh job waits for the claim that has it, and finds it running', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const job = spec();
  await store.enqueue([job]);
  await ground.query('BEGIN');
  await ground.query(
    `SELECT * FROM ${ground.name}.claim_jobs('w1', '00000000-0000-4000-8000-000000000000', '{q}', 1, 30000, NULL)`,
  );
  const command = { id: job.id, by: 'me', why: null } as const;
  const removing = store.control([{ ...command, type: 'remove' }]);
  const look = await ground.store();
  await untilOneWaits(ground, 'control');
  await ground.query('COMMIT');
  assert.deepEqual(await removing, [{ status: 'refused', state: 'running' }]);
  const [seen] = await look.get([job.id]);
  assert.deepEqual([seen?.state, seen?.attempt, seen?.workerId], ['running', 1, 'w1']);
  assert.deepEqual(await store.control([{ ...command, type: 'cancel' }]), [
    { status: 'requested', state: 'running' },
  ]);
});

test('clearing what is ready leaves fresh jobs that run, and the other way round', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue([spec(), spec(), spec(), spec({ queue: 'other' })]);
  const [lease] = (await store.claim(claimNow(1))).leases;
  assert.ok(lease !== undefined);
  assert.equal(await store.clear('q', ['ready']), 2);
  assert.deepEqual(await ground.query(`SELECT queue FROM ${ground.name}.fresh`), [{ queue: 'other' }]);
  await store.enqueue([spec()]);
  assert.equal(await store.clear('q', ['running']), 1);
  assert.deepEqual(await store.settle([{ ...lease, outcome: completed() }]), [{ status: 'lost' }]);
  const [{ counts } = { counts: null }] = (await store.queues()).filter(({ name }) => name === 'q');
  assert.deepEqual([counts?.ready, counts?.running], [1, 0]);
  assert.deepEqual(await ground.query(`SELECT token FROM ${ground.name}.lease`), []);
});

test('commands find jobs that are added while they wait for another one, waiting and running', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const [store, other] = [await ground.store(), await ground.store()];
  const [held, running, waiting] = [spec(), spec({ queue: 'other' }), spec({ queue: 'other' })];
  await store.enqueue([held]);
  await ground.query('BEGIN');
  await ground.query(`SELECT FROM ${ground.name}.job FOR UPDATE`);
  const cancelling = store.control(
    [held, running, waiting].map(({ id }) => ({ id, by: 'me', why: null, type: 'cancel' })),
  );
  await untilOneWaits(ground, 'control');
  await other.enqueue([running, waiting]);
  const [lease] = (await other.claim({ ...claimNow(1), queues: ['other'] })).leases;
  assert.ok(lease !== undefined);
  await ground.query('COMMIT');
  assert.deepEqual(await cancelling, [
    { status: 'done', state: 'cancelled' },
    { status: 'requested', state: 'running' },
    { status: 'done', state: 'cancelled' },
  ]);
  assert.deepEqual(await ground.query(`SELECT seq FROM ${ground.name}.fresh`), []);
  const [end] = await other.settle([{ ...lease, outcome: completed() }]);
  assert.equal(end?.status, 'settled');
  assert.deepEqual(await ground.query(`SELECT token FROM ${ground.name}.lease`), []);
});

test('a lost claim that is committed while another is given back is not taken for found', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const [first, again, fresh] = [spec(), spec({ queue: 'other' }), spec({ queue: 'other' })];
  await store.enqueue([first, again, fresh]);
  const command = { id: again.id, by: 'me', why: null } as const;
  await store.control([{ ...command, type: 'reprioritize', priority: -1 }]);
  const claim = (id: string, queue: string): Promise<unknown> =>
    ground.query(`SELECT * FROM ${ground.name}.claim_jobs('w1', $1, ARRAY[$2], 9, 30000, NULL)`, [id, queue]);
  const [known, late] = [crypto.randomUUID(), crypto.randomUUID()];
  await claim(known, 'q');
  const client = new pg.Client({ connectionString: ground.server });
  await client.connect();
  ground.finally(() => client.end());
  const lookingFor = (): Promise<string[]> =>
    giveBack(
      {
        query: async <Row>(text: string, values?: readonly unknown[]) =>
          (await client.query(text, values as unknown[])).rows as Row[],
        now: Date.now(),
        topics: new Set(),
        schema: ground.name,
      },
      [known, late],
    );
  await ground.query('BEGIN');
  await ground.query(`SELECT FROM ${ground.name}.job WHERE id = $1 FOR UPDATE`, [first.id]);
  const found = lookingFor();
  await untilOneWaits(ground, 'ground');
  await claim(late, 'other');
  await ground.query('COMMIT');
  assert.deepEqual(await found, [known]);
  assert.deepEqual(await lookingFor(), [late]);
  const states = (await store.get(ids([first, again, fresh]))).map((job) => [job?.state, job?.attempt]);
  assert.deepEqual(states, Array(3).fill(['ready', 0]));
});

test('a claim that locked jobs of both lines and took a part tells others to look again', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue(Array.from({ length: 10 }, () => spec()));
  const { leases } = await store.claim(claimNow(5));
  await store.settle(leases.map(({ id, token }) => ({ id, token, outcome: { type: 'released' } })));
  await store.close();
  const client = new pg.Client({ connectionString: ground.server });
  await client.connect();
  ground.finally(() => client.end());
  const heard = once(client, 'notification');
  await client.query(`LISTEN "${channelOf(ground.schema)}"`);
  const claim = (): Promise<readonly unknown[]> =>
    ground.query(
      `SELECT FROM ${ground.name}.claim_jobs('w', gen_random_uuid(), '{q}', 5, 30000, NULL) WHERE seq IS NOT NULL`,
    );
  assert.equal((await claim()).length, 5);
  assert.equal((await heard)[0].payload, ':ready');
  assert.equal((await claim()).length, 5);
});
