import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { giveBack } from '../../../src/store/postgres/give-back.ts';
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
    .map(({ id, seq }) => ({ id, token: `${number}.${seq}.${id}`, outcome: completed() }));
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
  assert.deepEqual(await ground.query(`SELECT first_seq FROM ${ground.name}.fresh`), []);
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

test('who finds that another claim has the jobs it could take is told to ask again soon, and finds what that one left', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue(Array.from({ length: 10 }, () => spec()));
  const { leases } = await store.claim(claimNow(5));
  await store.settle(leases.map(({ id, token }) => ({ id, token, outcome: { type: 'released' } })));
  await ground.query('BEGIN');
  const [taken] = await ground.query<{ jobs: string }>(
    `SELECT sum(nullif(split_part(head, ';', 3), '')::integer)::integer AS jobs FROM ${ground.name}.claim_jobs('w', $1, '{q}', 7, 30000, NULL)`,
    [crypto.randomUUID()],
  );
  assert.equal(taken?.jobs, 7);
  const early = await store.claim(claimNow());
  assert.deepEqual([early.leases, early.nextDueAt], [[], early.now + 5]);
  await ground.query('COMMIT');
  const late = await store.claim(claimNow());
  assert.deepEqual([late.leases.length, late.nextDueAt], [3, null]);
});

/** Where the ranges of waiting jobs are, as their places among all jobs: '0-4' for the first five. */
async function ranges(ground: Ground): Promise<string[]> {
  const rows = await ground.query<{ next: number; last: number }>(
    `SELECT (next_seq - first.seq)::integer AS next, (last_seq - first.seq)::integer AS last
     FROM ${ground.name}.fresh, (SELECT min(seq) AS seq FROM ${ground.name}.job) AS first ORDER BY next`,
  );
  return rows.map(({ next, last }) => `${next}-${last}`);
}

test('jobs that are added together are one range, which claims and changes cut', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const jobs = Array.from({ length: 30 }, () => spec());
  await store.enqueue(jobs);
  assert.deepEqual(await ranges(ground), ['0-29']);
  const { leases } = await store.claim(claimNow(5));
  assert.deepEqual(await ranges(ground), ['5-29']);
  const commands = [10, 11, 20, 29].map(
    (index) => ({ id: ids(jobs)[index] as string, by: 'me', why: null, type: 'cancel' }) as const,
  );
  await store.control(commands);
  assert.deepEqual(await ranges(ground), ['5-9', '12-19', '21-28']);
  await store.settle(leases.map((lease) => ({ ...lease, outcome: retried(0) })));
  const rest = (await store.claim(claimNow(99))).leases;
  const ended = new Set(commands.map(({ id }) => id));
  assert.deepEqual(
    ids(rest),
    ids(jobs).filter((id) => !ended.has(id)),
  );
  assert.deepEqual(await ranges(ground), []);
  assert.deepEqual(
    await ground.query(`SELECT live, cardinality(firsts) AS ranges FROM ${ground.name}.lease ORDER BY live`),
    [
      { live: 5, ranges: 1 },
      { live: 21, ranges: 3 },
    ],
  );
  const settled = await store.settle(rest.reverse().map((lease) => ({ ...lease, outcome: completed() })));
  assert.ok(settled.every(({ status }) => status === 'settled'));
  assert.deepEqual(await ground.query(`SELECT token FROM ${ground.name}.lease`), []);
});

test('of a range that completes, those that were changed meanwhile count for themselves', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const jobs = Array.from({ length: 25 }, () => spec());
  await store.enqueue(jobs);
  const { leases } = await store.claim(claimNow(25));
  const [noted, snatched] = [leases[7], leases[9]];
  assert.ok(noted !== undefined && snatched !== undefined);
  await store.annotate([{ id: noted.id, token: noted.token, progress: '1' }]);
  await store.settle([{ ...snatched, outcome: retried(0) }]);
  const [again] = (await store.claim(claimNow(1))).leases;
  assert.equal(again?.id, snatched.id);
  const settled = await store.settle(
    leases.map((lease, index) => ({ ...lease, outcome: completed(`${index}`) })),
  );
  assert.deepEqual(
    settled.map(({ status }) => status),
    leases.map(({ id }) => (id === snatched.id ? 'lost' : 'settled')),
  );
  const seen = await store.get(ids(leases));
  assert.deepEqual(
    seen.map((job) => [job?.state, job?.result, job?.attempt]),
    leases.map(({ id }, index) => (id === snatched.id ? ['running', null, 2] : ['completed', `${index}`, 1])),
  );
  assert.deepEqual(await ground.query(`SELECT live FROM ${ground.name}.lease`), [{ live: 1 }]);
});

test('completed jobs leave their leases in one order, those that were changed among the others', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue([spec(), spec()]);
  const [noted] = (await store.claim(claimNow(1))).leases;
  const [fresh] = (await store.claim(claimNow(1))).leases;
  assert.ok(noted !== undefined && fresh !== undefined);
  await store.annotate([{ id: noted.id, token: noted.token, progress: '1' }]);
  const lock = (token: string): Promise<unknown> =>
    ground.query(`SELECT FROM ${ground.name}.lease WHERE token = $1 FOR UPDATE NOWAIT`, [
      token.split('.')[0],
    ]);
  await ground.query('BEGIN');
  await lock(noted.token);
  const ends = [noted, fresh].map(({ id, token }) => ({ id, token, outcome: completed() }));
  const settling = store.settle(ends);
  await untilOneWaits(ground, 'complete_batch');
  // As a beat does, which renews both.
  await lock(fresh.token);
  await ground.query('COMMIT');
  assert.ok((await settling).every(({ status }) => status === 'settled'));
  assert.deepEqual(await ground.query(`SELECT token FROM ${ground.name}.lease`), []);
});

test('jobs that differ in all they can, and odd texts among many, are claimed as they were added', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const inputs = ['"a"', null, '"\u001e"', '\u001e', '', 'a\u001fb', '{}', null, '"z"'];
  const jobs = [
    ...inputs.map((input) => spec({ input })),
    ...inputs.map((input, index) =>
      spec({ input, queue: 'r', task: `t${index % 3}`, attemptsMax: 1 + (index % 2) }),
    ),
    ...Array.from({ length: 40 }, () => spec({ queue: 's', input: null })),
    ...Array.from({ length: 300 }, (_, index) =>
      spec({ queue: 't', input: `${index}`, priority: index % 2 }),
    ),
  ];
  await store.enqueue(jobs);
  const { leases } = await store.claim({ ...claimNow(999), queues: ['q', 'r', 's', 't'] });
  const line = [...jobs].sort((one, other) => one.priority - other.priority);
  const expected = ['q', 'r', 's', 't'].flatMap((queue) => line.filter((job) => job.queue === queue));
  const told = ({
    id,
    queue,
    task,
    input,
    priority,
    attemptsMax,
  }: (typeof jobs)[0] | (typeof leases)[0]) => ({
    id,
    queue,
    task,
    input,
    priority,
    attemptsMax,
  });
  assert.deepEqual(leases.map(told), expected.map(told));
  const ends = leases.map(({ id, token }) => ({ id, token, outcome: completed() }));
  assert.ok((await store.settle(ends)).every(({ status }) => status === 'settled'));
});

test('a task whose name divides lists is told as it was given, also where all have it', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const jobs = [spec({ task: 'a\u001fb' }), spec({ task: 'a\u001fb' })];
  for (const job of jobs) await store.enqueue([job], { now: 5 });
  const { leases } = await store.claim(claimNow());
  assert.deepEqual(
    leases.map(({ task }) => task),
    ['a\u001fb', 'a\u001fb'],
  );
});

test('a claim reads but the first of the jobs that came back, also by a plan that was made while there were none', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  const queues = ['a', 'b', 'c', 'q'];
  for (const queue of queues)
    await store.configureQueue(queue, { retention: { completed: { ageMs: null, count: 9 } } });
  await ground.query(`ANALYZE ${ground.name}.queue, ${ground.name}.job`);
  const claim = () =>
    ground.query(`SELECT * FROM ${ground.name}.claim_jobs('w', $1, $2, 1, 1000, NULL)`, [
      crypto.randomUUID(),
      queues,
    ]);
  await claim();
  await store.enqueue(Array.from({ length: 2_000 }, () => spec()));
  const { leases } = await store.claim(claimNow(2_000));
  await store.settle(leases.map((lease) => ({ ...lease, outcome: retried(0) })));
  await ground.query('BEGIN');
  assert.equal((await claim()).length, 2);
  const [{ read } = { read: 0 }] = await ground.query<{ read: number }>(
    `SELECT pg_stat_get_xact_tuples_returned('${ground.name}.job_ready'::regclass)::int AS read`,
  );
  await ground.query('ROLLBACK');
  assert.ok(read < 200, `${read} entries of the line were read`);
});
