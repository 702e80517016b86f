import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freshStore, missingFor } from '../../fresh-store.ts';

test('an open store, its beats and its listeners let the process end', async (t) => {
  const missing = await missingFor('redis');
  if (missing !== undefined) return t.skip(missing);
  const { url, remove } = await freshStore('redis');
  t.after(remove);
  const program = `
    import { redisDriver } from ${JSON.stringify(new URL('../../../src/store/redis/index.ts', import.meta.url).href)};
    const store = await redisDriver.open(${JSON.stringify(url)}, {});
    store.notifier.subscribe('ready', () => {});
    const keepAlive = store.keepAlive({
      worker: { id: 'w', host: 'h', pid: 1, version: '1', tasks: [], queues: [], startedAt: 0 },
      leaseMs: 600_000, intervalMs: 300_000, onBeat() {}, onError() {},
    });
    await keepAlive.beat();
    await store.queues();
    console.log('done');
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program],
    { timeout: 60_000 },
  );
  assert.equal(stdout.trim(), 'done');
});
