import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { TOPICS, type Topic } from '../../../src/store/notifier.ts';
import { listener } from '../../../src/store/redis/client.ts';
import { RedisNotifier } from '../../../src/store/redis/notifier.ts';
import { parseUrl } from '../../../src/store/redis/url.ts';
import { claimRequest, completed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { eventually, type OwnServer, ownServer } from './server.ts';

/** A notifier with a count of each topic it heard. */
function hearing(server: OwnServer, instance: string, times: { pingMs?: number; pongMs?: number } = {}) {
  const address = parseUrl(server.url);
  const notifier = new RedisNotifier({ instance, listen: listener(address, 'hints'), ...times });
  const heard: Record<Topic, number> = { ready: 0, control: 0, settled: 0, plan: 0, planEnded: 0 };
  for (const topic of TOPICS)
    notifier.subscribe(topic, () => {
      heard[topic] += 1;
    });
  return { notifier, heard };
}

/** Each time it begins to listen, it publishes what may have been missed. */
function connected(heard: Readonly<Record<Topic, number>>, times = 1): Promise<boolean> {
  return eventually(
    async () => (heard.ready >= times && heard.control >= times && heard.settled >= times) || undefined,
  );
}

test('hints of others come by their topics, its own do not come back', async (t) => {
  const server = await ownServer(t);
  const { notifier, heard } = hearing(server, 'me');
  t.after(() => notifier.close());
  await connected(heard);
  assert.equal(notifier.crossProcess, true);
  await server.send('PUBLISH', 'hints', 'r me');
  await server.send('PUBLISH', 'hints:settled', 's me');
  await server.send('PUBLISH', 'hints', 'c other');
  await eventually(async () => heard.control === 2 || undefined);
  await server.send('PUBLISH', 'hints', 'pe other');
  await eventually(async () => heard.planEnded === 2 || undefined);
  assert.deepEqual(heard, { ready: 1, control: 2, settled: 1, plan: 2, planEnded: 2 });
  notifier.publish(['ready']);
  assert.equal(heard.ready, 2);
});

test('after the server was away, all topics are published once, and hints come again', async (t) => {
  const server = await ownServer(t);
  const { notifier, heard } = hearing(server, 'me');
  t.after(() => notifier.close());
  await connected(heard);
  await server.kill();
  await eventually(async () => notifier.crossProcess === false || undefined);
  await server.restart();
  await connected(heard, 2);
  assert.deepEqual(heard, { ready: 2, control: 2, settled: 2, plan: 2, planEnded: 2 });
  assert.equal(notifier.crossProcess, true);
  await server.send('PUBLISH', 'hints:settled', 's other');
  await eventually(async () => heard.settled === 3 || undefined);
});

test('a connection that is half open is noticed by its pings', async (t) => {
  const server = await ownServer(t);
  const { notifier, heard } = hearing(server, 'me', { pingMs: 50, pongMs: 50 });
  t.after(() => notifier.close());
  await connected(heard);
  server.pause();
  await eventually(async () => notifier.crossProcess === false || undefined);
  server.resume();
  await connected(heard, 2);
  assert.equal(notifier.crossProcess, true);
});

test('one enqueue hints once, in the same process and in others', async (t) => {
  const server = await ownServer(t);
  const [one, other] = [await server.open(), await server.open()];
  const heard = { one: 0, other: 0 };
  one.notifier.subscribe('ready', () => {
    heard.one += 1;
  });
  other.notifier.subscribe('ready', () => {
    heard.other += 1;
  });
  await eventually(async () => (heard.one > 0 && heard.other > 0) || undefined);
  await one.enqueue([spec(), spec(), spec()]);
  await eventually(async () => heard.other === 2 || undefined);
  assert.deepEqual(heard, { one: 2, other: 2 });
});

test('settlements are sent to those who listen for them, and to nobody else', async (t) => {
  const server = await ownServer(t);
  const [worker, waiter] = [await server.open(), await server.open()];
  let settled = 0;
  for (const store of [worker, waiter]) store.notifier.subscribe('ready', () => {});
  waiter.notifier.subscribe('settled', () => {
    settled += 1;
  });
  const heardBy = async (channel: string) =>
    ((await server.send('PUBSUB', 'NUMSUB', `{longshore}:${channel}`)) as [string, number])[1];
  await eventually(async () => ((await heardBy('hints')) === 2 && settled === 1) || undefined);
  assert.equal(await heardBy('hints:settled'), 1);
  await worker.enqueue([spec()]);
  const { leases } = await worker.claim(claimRequest());
  await worker.settle(leases.map(({ id, token }) => ({ id, token, outcome: completed() })));
  await eventually(async () => settled === 2 || undefined);
  // Whoever begins to listen later hears once what may have been missed.
  let late = 0;
  worker.notifier.subscribe('settled', () => {
    late += 1;
  });
  await eventually(async () => late === 1 || undefined);
  assert.equal(await heardBy('hints:settled'), 2);
  assert.equal(worker.notifier.crossProcess, true);
});

test('a process that listens and does nothing else ends, also while the server is away', async (t) => {
  const server = await ownServer(t);
  for (const away of [false, true]) {
    const child = fork(new URL('./programs/listens.ts', import.meta.url), [server.url], { stdio: 'inherit' });
    await once(child, 'message');
    if (away) await server.kill();
    child.disconnect();
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, away ? 'while the server is away' : 'with the server');
  }
});
