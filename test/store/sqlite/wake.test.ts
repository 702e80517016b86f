import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, utimesSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { Waker, wakeFolder } from '../../../src/store/sqlite/wake.ts';
import { Place } from './place.ts';
import { spec } from './specs.ts';

/** Resolves when a file of the folder changes whose name begins with `name` and that is `as` wanted. */
function changed(
  t: TestContext,
  folder: string,
  name: string,
  as: () => boolean = () => true,
): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_event, file) => {
      if (file?.startsWith(name) && as()) resolve();
    });
    t.after(() => watcher.close());
  });
}

test('a commit touches the file of its topic', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const touched = changed(t, wakeFolder(place.file), 'ready.');
  await store.enqueue([spec()]);
  await touched;
});

test("a touch by another store is a hint for the file's topic", async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const heard: string[] = [];
  const ready = new Promise<void>((resolve) => {
    store.notifier.subscribe('control', () => heard.push('control'));
    store.notifier.subscribe('ready', () => {
      heard.push('ready');
      resolve();
    });
  });
  writeFileSync(join(wakeFolder(place.file), 'ready.another'), '');
  await ready;
  assert.ok(heard.every((topic) => topic === 'ready'));
});

test('a store hears its own commit once, and not its own touch', async (t) => {
  const place = await Place.make(t);
  const store = await place.store();
  const heard: string[] = [];
  const touched = changed(t, wakeFolder(place.file), 'ready.');
  store.notifier.subscribe('ready', () => heard.push('ready'));
  await store.enqueue([spec()]);
  await touched;
  // Changes of one folder are told in order: what follows a later touch was told after the store's own.
  const later = new Promise<void>((resolve) => store.notifier.subscribe('control', resolve));
  writeFileSync(join(wakeFolder(place.file), 'control.another'), '');
  await later;
  assert.deepEqual(heard, ['ready']);
});

test('of commits that follow each other closely, the last is touched too', async (t) => {
  const { file } = await Place.make(t);
  const db = openDatabase(file);
  const waker = new Waker(db, 'me', () => {});
  t.after(() => {
    waker.close();
    db.close();
  });
  waker.committed(['ready']);
  const path = join(wakeFolder(file), 'ready.me');
  const first = statSync(path).mtimeMs;
  const touchedAgain = () => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > first;
  const second = changed(t, wakeFolder(file), 'ready.me', touchedAgain);
  waker.committed(['ready']);
  await second;
});

test('files that were left long ago are removed when the store is opened', async (t) => {
  const place = await Place.make(t);
  const folder = wakeFolder(place.file);
  mkdirSync(folder);
  for (const name of ['ready.old', 'ready.new']) writeFileSync(join(folder, name), '');
  utimesSync(join(folder, 'ready.old'), 1, 1);
  await place.store();
  assert.deepEqual(readdirSync(folder), ['ready.new']);
});
