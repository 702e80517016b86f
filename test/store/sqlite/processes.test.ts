import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Topic } from '../../../src/store/notifier.ts';
import type { Store } from '../../../src/store/store.ts';
import { Place } from './place.ts';
import { completed, request, spec } from './specs.ts';

const PROGRAMS = new URL('./programs/', import.meta.url);

test('ten processes open a new file at once, and every job they add is claimed once', async (t) => {
  const place = await Place.make(t);
  const children = Array.from({ length: 10 }, () => start(t, 'worker.ts', place.url));
  const claimed = (await Promise.all(children.map(told<string[]>))).flat();
  assert.equal(claimed.length, 200);
  assert.equal(new Set(claimed).size, 200);
  const [queue] = await (await place.store()).queues();
  assert.equal(queue?.counts.completed, 200);
});

for (const [topic, before, command] of [
  ['ready', async () => {}, 'enqueue'],
  ['settled', async (store: Store) => void (await store.enqueue([spec()])), 'complete'],
  ['control', async () => {}, 'pause'],
] as const) {
  test(`another process's commit is a hint for '${topic}'`, async (t) => {
    const place = await Place.make(t);
    const store = await place.store();
    await before(store);
    const other = start(t, 'do.ts', place.url);
    await told(other);
    const heard = hint(store, topic);
    other.send(command);
    await heard;
  });
}

test('a hint is heard without the folder that carries the wake-ups', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const other = start(t, 'do.ts', place.url);
  await told(other);
  rmSync(`${place.file}-wake`, { recursive: true });
  const heard = hint(store, 'ready');
  other.send('enqueue');
  await heard;
  assert.equal(existsSync(`${place.file}-wake`), false);
});

test('a process of its own gets its hints without watching', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  rmSync(`${place.file}-wake`, { recursive: true });
  const heard = hint(store, 'ready');
  await store.enqueue([spec()]);
  await heard;
});

test('beats go on while the event loop is blocked', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  await store.enqueue([spec()]);
  const [lease] = (await store.claim(request({ leaseMs: 60_000 }))).leases;
  const beats: number[] = [];
  const worker = {
    id: 'w',
    host: 'here',
    pid: process.pid,
    version: '0',
    tasks: [],
    queues: ['q'],
    startedAt: Date.now(),
  };
  const keepAlive = store.keepAlive({
    worker,
    leaseMs: 60_000,
    intervalMs: 5,
    onBeat: ({ now }) => beats.push(now),
    onError: (error) => assert.fail(String(error)),
  });
  keepAlive.update({ slots: 2, slotsUsed: 1, profiles: [] });
  const stranger = place.stranger();
  const expiry = stranger.prepare('SELECT expires_at FROM lease');
  const renewals = new Set<unknown>();
  const deadline = Date.now() + 20_000;
  // Never gives the loop away: what changes here was written by the store thread.
  while (renewals.size < 4 && Date.now() < deadline) renewals.add(expiry.get()?.expires_at);
  assert.equal(renewals.size, 4);
  await keepAlive.beat();
  await keepAlive.close();
  assert.ok(beats.length >= 3);
  const [record] = await store.workers();
  assert.deepEqual([record?.slotsUsed, record?.running, record?.alive], [1, 1, true]);
  assert.deepEqual(await store.settle([completed(lease as NonNullable<typeof lease>)]), [
    { status: 'settled', state: 'completed' },
  ]);
});

function hint(store: Store, topic: Topic): Promise<void> {
  return new Promise((resolve) => {
    const leave = store.notifier.subscribe(topic, () => {
      leave();
      resolve();
    });
  });
}

function start(t: TestContext, program: string, url: string): ChildProcess {
  const child = fork(new URL(program, PROGRAMS), [url]);
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function told<Message>(child: ChildProcess): Promise<Message> {
  const [message] = await once(child, 'message');
  return message as Message;
}
