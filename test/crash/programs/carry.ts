import { setTimeout as delay } from 'node:timers/promises';
import { connect, type WorkerSettings } from '../../../src/index.ts';
import { openEffects } from './effects.ts';
import { flowTasks } from './flows.ts';
import { endWithTest, say } from './say.ts';

/** A worker process that carries runs of flows. Its argument: the store's URL and the worker's settings. */
const { url, settings } = JSON.parse(process.argv[2] ?? '') as {
  readonly url: string;
  readonly settings: Partial<WorkerSettings>;
};

/** A server that is just being restarted is waited for, as by whatever keeps a worker running. */
const TRIES = 200;
for (let tries = 1; ; tries += 1) {
  try {
    const effects = await openEffects(url);
    const longshore = await connect(url);
    await longshore.worker({ tasks: flowTasks(effects), ...settings }).start();
    break;
  } catch (error) {
    if (tries === TRIES) throw error;
    await delay(50);
  }
}
say({ say: 'ready' });
endWithTest();
