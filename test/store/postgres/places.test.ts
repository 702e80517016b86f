import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connections } from '../../../src/store/postgres/connection.ts';
import { Places } from '../../../src/store/postgres/places.ts';
import { spec } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

test('who finds no place gets the next one that is left, or the one that is opened behind', async () => {
  let opened = Promise.withResolvers<void>();
  const places = new Places(1, 3, () => opened.promise);
  assert.equal(places.take(), null);
  const order: string[] = [];
  const [second, third] = ['second', 'third'].map((name) => places.take()?.then(() => order.push(name)));
  places.leave();
  await second;
  assert.deepEqual(order, ['second'], 'without waiting for the one that is opened');
  opened.resolve();
  await third;
  assert.equal(places.count, 2);
  opened = Promise.withResolvers();
  const fourth = places.take()?.then(() => order.push('fourth'));
  opened.reject(new Error('too many clients'));
  await places.quiet().catch(() => undefined);
  assert.equal(places.count, 2, 'one that cannot be opened is no place');
  places.leave();
  await fourth;
  assert.deepEqual(order, ['second', 'third', 'fourth']);
});

test('all who asked for a place while one was being opened are told of it', async () => {
  const opened = Promise.withResolvers<void>();
  const places = new Places(1, 3, () => opened.promise);
  assert.equal(places.take(), null);
  const waits = places.take();
  let told = 0;
  const tell = (): void => {
    told += 1;
  };
  places.grow(tell);
  places.grow(tell);
  opened.resolve();
  await waits;
  await places.quiet();
  assert.equal(told, 1);
});

test('places that broke are not given again, and the last one always is', async () => {
  const places = new Places(3, 3, () => Promise.resolve());
  for (let taken = 0; taken < 3; taken += 1) assert.equal(places.take(), null);
  const waits = places.take();
  for (let broken = 0; broken < 3; broken += 1) places.shrink();
  assert.equal(places.count, 1);
  let given = false;
  const giving = waits?.then(() => {
    given = true;
  });
  places.leave();
  places.leave();
  await Promise.resolve();
  assert.equal(given, false, 'one is still in use');
  places.leave();
  await giving;
  assert.ok(given);
});

test('a connection that is opened behind leaves nothing in the store', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const store = await ground.store();
  await store.enqueue([spec({ queue: 'mail' })]);
  const connections = await Connections.open({ place: ground.place, max: 2 });
  ground.finally(() => connections.close());
  const held = Promise.withResolvers<void>();
  const first = connections.use(() => held.promise);
  const grown = Promise.withResolvers<void>();
  connections.grow(grown.resolve);
  await grown.promise;
  assert.equal(connections.places, 2);
  held.resolve();
  await first;
  const counts = await store.queues();
  assert.deepEqual(
    counts.map(({ name }) => name),
    ['mail'],
  );
  const [row] = await ground.query(
    `SELECT (SELECT count(*) FROM ${ground.name}.job) + (SELECT count(*) FROM ${ground.name}.fresh) AS rows`,
  );
  assert.equal(Number(row?.rows), 2);
});
