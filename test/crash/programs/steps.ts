import { appendFileSync } from 'node:fs';
import { connect, defineTask, type WorkerSettings } from '../../../src/index.ts';
import { endWithTest, monotonicMs, say } from './say.ts';

/**
 * A worker process whose jobs keep durable steps. Each step writes a line to a file, which is its effect: job, attempt, step.
 * Its argument: the store's URL, the file, and the worker's settings.
 */
const STEPS = 6;

const { url, file, settings } = JSON.parse(process.argv[2] ?? '') as {
  readonly url: string;
  readonly file: string;
  readonly settings: Partial<WorkerSettings>;
};

const stepwise = defineTask({
  name: 'stepwise',
  async run({ id, attempt, step, sleep, waitFor }) {
    const results: unknown[] = [];
    for (let number = 0; number < STEPS; number += 1) {
      const result = await step(`step ${number}`, () => {
        appendFileSync(file, `${id} ${attempt} ${number}\n`);
        say({ say: 'started', id, attempt, at: monotonicMs() });
        return number;
      });
      results.push(result);
      if (number === 1) await sleep('nap', 5);
      if (number === 3) results.push(await waitFor('signal'));
    }
    return results;
  },
});

const longshore = await connect(url);
await longshore.worker({ tasks: [stepwise], ...settings }).start();
say({ say: 'ready' });
endWithTest();
