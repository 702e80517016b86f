import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../../src/index.ts';
import { endWithTest, say } from './say.ts';

/**
 * Enqueues jobs as a program does that wants them run: what is refused for now is tried again, as new jobs. It ends
 * when there are enough, or when it is told to on its input.
 */
const order = JSON.parse(process.argv[2] ?? '') as {
  url: string;
  jobs: number;
  batch: number;
  inputMs: number;
};
const { url, jobs, batch, inputMs } = order;
endWithTest();
let told = false;
process.stdin.once('data', () => {
  told = true;
});
const longshore = await connect(url);
say({ say: 'ready' });
for (let acked = 0; acked < jobs && !told; ) {
  const inputs = new Array<number>(Math.min(batch, jobs - acked)).fill(inputMs);
  try {
    const handles = await longshore.enqueueMany('brief', inputs);
    say({ say: 'acked', ids: handles.map(({ id }) => id) });
    acked += handles.length;
  } catch (error) {
    if ((error as { retryable?: boolean }).retryable !== true) throw error;
    await delay(10);
  }
}
await longshore.close();
process.exit(0);
