import { connect } from '../../../src/index.ts';
import { endWithTest, say } from './say.ts';

/** Enqueues jobs, one at a time and in batches, and says of each whether it was acknowledged, until it is killed. */
const { url, jobs } = JSON.parse(process.argv[2] ?? '') as { url: string; jobs: number };
endWithTest();
const longshore = await connect(url);
for (let acked = 0; acked < jobs; ) {
  const one = await longshore.enqueue('brief', acked % 8);
  say({ say: 'acked', ids: [one.id] });
  const many = await longshore.enqueueMany('brief', new Array(acked % 23).fill(2), { priority: acked % 3 });
  say({ say: 'acked', ids: many.map(({ id }) => id) });
  const serial = await longshore.enqueueMany('serial', [1, 2], { queue: 'serial' });
  say({ say: 'acked', ids: serial.map(({ id }) => id) });
  acked += 3 + many.length;
}
await longshore.close();
say({ say: 'ready' });
