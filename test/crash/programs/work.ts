import { noKeys } from '../../../src/cipher.ts';
import { PAYLOAD_BYTES_MAX_DEFAULT, PayloadCodec } from '../../../src/core/payload.ts';
import { connect, Longshore, type WorkerSettings } from '../../../src/index.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { endWithTest, say } from './say.ts';
import { tasks } from './tasks.ts';

/** A worker process. Its argument: the store's URL, the worker's settings, and whether it dies at a named point. */
interface Order {
  readonly url: string;
  readonly settings: Partial<WorkerSettings>;
  readonly dies: boolean;
  /** Jobs to enqueue first. */
  readonly enqueue: number;
}

const { url, settings, dies, enqueue } = JSON.parse(process.argv[2] ?? '') as Order;
const longshore = dies ? await dying() : await connect(url);
longshore.on('job.completed', ({ id, attempt }) => say({ say: 'settled', id, attempt, as: 'completed' }));
longshore.on('job.failed', ({ id, attempt }) => say({ say: 'settled', id, attempt, as: 'failed' }));
longshore.on('job.lost', ({ id, attempt }) => say({ say: 'lost', id, attempt }));
for (let times = 0; times < enqueue; times += 1) {
  const job = await longshore.enqueue('brief', 1);
  say({ say: 'acked', ids: [job.id] });
}
await longshore.worker({ tasks, ...settings }).start();
say({ say: 'ready' });
endWithTest();

async function dying(): Promise<Longshore> {
  const hooks = new URL('./death.ts', import.meta.url).href;
  const store = await openStore(url, {}, { hooks });
  const codec = new PayloadCodec(PAYLOAD_BYTES_MAX_DEFAULT, noKeys);
  return new Longshore(store, { codec, workerSettings: {}, clock: systemClock });
}
