import { openStore } from '../../../../src/store/sqlite/open.ts';
import { spec } from '../specs.ts';

/** Adds a job to the queue `first`, then two to the queue that is named by the second argument. */
const [, , url, queue] = process.argv as [string, string, string, string];
const store = await openStore(url, {}, { hooks: new URL('../hooks/crash.ts', import.meta.url).href });
for (const batch of [[spec({ queue: 'first' })], [spec({ queue }), spec({ queue })]]) {
  await store.enqueue(batch);
  console.log('acknowledged', batch[0]?.queue);
}
