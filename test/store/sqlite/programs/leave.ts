import { sqliteDriver } from '../../../../src/store/sqlite/index.ts';
import { spec } from '../specs.ts';

/** Uses all that could keep a process alive, and leaves it as it is, unless told to close the store. */
const store = await sqliteDriver.open(process.argv[2] as string, {});
const [receipt] = await store.enqueue([spec()]);
console.log(receipt?.status);
store.notifier.subscribe('ready', () => {});
store.keepAlive({
  worker: { id: 'w', host: 'here', pid: process.pid, version: '0', tasks: [], queues: ['q'], startedAt: 0 },
  leaseMs: 1_000,
  intervalMs: 10,
  onBeat: () => {},
  onError: () => {},
});
console.log('listening');
if (process.argv[3] === 'close') {
  await store.close();
  console.log('closed');
}
