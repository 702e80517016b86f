import { burn } from './burn.ts';
import { flow } from './flow.ts';
import { heard } from './heard.ts';
import { httpCreation } from './http-creation.ts';
import { workerMemory } from './memory.ts';
import { openLoop } from './open-loop.ts';
import { queuedBytes } from './queued.ts';
import { sustainableRate } from './rate.ts';
import { recover } from './recover.ts';
import { soak } from './soak.ts';
import type { Trial } from './trial.ts';
import { verbs } from './verbs.ts';

/** What a workload file can ask for. */
export const TRIALS: Readonly<Record<string, Trial>> = {
  burn,
  flow,
  heard,
  http: httpCreation,
  memory: workerMemory,
  'open-loop': openLoop,
  queued: queuedBytes,
  rate: sustainableRate,
  recover,
  soak,
  verbs,
};
