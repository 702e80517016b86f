import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redisDriver } from '../../../src/store/redis/index.ts';
import type { Finding } from '../../../src/store/store.ts';
import { claimRequest, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually, ownServer } from './server.ts';

/** What is looked at in the store itself. */
const WHOLE = [
  'keys',
  'records',
  'counts',
  'lines',
  'lease records',
  'names',
  'settings',
  'registry',
  'plans',
  'set aside',
];

async function findings(url: string): Promise<Record<string, Finding>> {
  return Object.fromEntries((await redisDriver.doctor(url)).map((finding) => [finding.check, finding]));
}

test('the doctor finds a sound store sound, and changes nothing', async (t) => {
  const server = await ownServer(t, { durable: true, args: ['--appendfsync', 'always'] });
  await (await server.open()).close();
  const keys = await server.send('KEYS', '*');
  const found = await redisDriver.doctor(server.url);
  for (const { check, level, remedy } of found) assert.deepEqual([check, level, remedy], [check, 'ok', null]);
  assert.deepEqual(
    found.map(({ check }) => check),
    ['server', 'persistence', 'memory', 'layout', ...WHOLE, 'leases', 'workers', 'dead letters'],
  );
  assert.deepEqual(await server.send('KEYS', '*'), keys);
});

test('the doctor says that there is no store yet, and makes none', async (t) => {
  const server = await ownServer(t);
  const { layout, leases } = await findings(`${server.url}?prefix=typo`);
  assert.equal(layout?.level, 'note');
  assert.match(layout?.detail ?? '', /no store with prefix 'typo'/);
  assert.equal(leases, undefined);
  assert.equal(await server.send('DBSIZE'), 0);
});

test('the doctor says what is lost when the server or its machine dies', async (t) => {
  const server = await ownServer(t);
  const look = async () => (await findings(server.url)).persistence;
  assert.equal((await look())?.level, 'fault');
  assert.match((await look())?.detail ?? '', /keeps nothing on its disk/);
  await server.send('CONFIG', 'SET', 'save', '3600 1');
  assert.match((await look())?.detail ?? '', /snapshots \(save 3600 1\)/);
  await server.send('CONFIG', 'SET', 'appendonly', 'yes');
  assert.equal((await look())?.level, 'note');
  assert.match((await look())?.detail ?? '', /everysec\): up to a second of acknowledged jobs/);
  await server.send('CONFIG', 'SET', 'appendfsync', 'no');
  assert.match((await look())?.detail ?? '', /half a minute/);
});

test('the doctor sees memory that is nearly full, and a policy that deletes jobs', async (t) => {
  const server = await ownServer(t);
  const look = async () => (await findings(server.url)).memory;
  assert.match((await look())?.detail ?? '', /without a bound/);
  const used = Number(/^used_memory:(\d+)/m.exec(String(await server.send('INFO', 'memory')))?.[1]);
  await server.send('CONFIG', 'SET', 'maxmemory', String(Math.ceil(used * 1.1)));
  assert.equal((await look())?.level, 'note');
  await server.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  assert.equal((await look())?.level, 'fault');
  assert.match((await look())?.remedy ?? '', /noeviction/);
});

test('the doctor says where it may not look', async (t) => {
  const server = await ownServer(t, { durable: true });
  await server.send('ACL', 'SETUSER', 'ada', 'on', '>right', '~*', '&*', '+@all', '-config');
  const { persistence } = await findings(`redis://ada:right@127.0.0.1:${server.port}`);
  assert.equal(persistence?.level, 'note');
  assert.match(persistence?.detail ?? '', /does not allow to look/);
});

test('the doctor sees jobs that nobody takes, dead workers and dead letters', async (t) => {
  const server = await ownServer(t, { durable: true });
  const store = await server.open();
  await store.enqueue([spec(), spec(), spec()]);
  const { leases: held } = await store.claim(claimRequest({ limit: 2, leaseMs: 1, workerId: 'gone' }));
  await store.beat({
    worker: { id: 'gone', host: 'h', pid: 1, version: '0', tasks: [], queues: [], startedAt: 1 },
    load: { slots: 1, slotsUsed: 1, profiles: [] },
    leaseMs: 1,
  });
  await eventually(async () => ((await store.workers())[0]?.alive === false ? true : undefined));
  const first = await findings(server.url);
  assert.match(first.leases?.detail ?? '', /2 jobs are held by workers that fell silent/);
  assert.match(first.workers?.detail ?? '', /0 workers are alive, 1 job is ready/);
  const error = { attempt: 1, at: 1, name: 'Error', message: 'it broke', stack: null, code: null };
  await store.settle(held.map(({ id, token }) => ({ id, token, outcome: { type: 'failed', error } })));
  assert.match((await findings(server.url))['dead letters']?.remedy ?? '', /longshore jobs --state failed/);
});

test('the doctor of a server that is not there says so', async () => {
  const found = await redisDriver.doctor('redis://127.0.0.1:1');
  assert.deepEqual(
    found.map(({ check, level }) => [check, level]),
    [['server', 'fault']],
  );
});
