import { connect, type WorkerSettings } from '../../../src/index.ts';
import { openEffects } from './effects.ts';
import { flowTasks } from './flows.ts';
import { endWithTest, say } from './say.ts';

/** A worker process that carries runs of flows. Its argument: the store's URL and the worker's settings. */
const { url, settings } = JSON.parse(process.argv[2] ?? '') as {
  readonly url: string;
  readonly settings: Partial<WorkerSettings>;
};
const effects = await openEffects(url);
const longshore = await connect(url);
await longshore.worker({ tasks: flowTasks(effects), ...settings }).start();
say({ say: 'ready' });
endWithTest();
