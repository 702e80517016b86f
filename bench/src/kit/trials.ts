import { burn } from './burn.ts';
import { workerMemory } from './memory.ts';
import { openLoop } from './open-loop.ts';
import { queuedBytes } from './queued.ts';
import type { Trial } from './trial.ts';

/** What a workload file can ask for. */
export const TRIALS: Readonly<Record<string, Trial>> = {
  burn,
  'open-loop': openLoop,
  memory: workerMemory,
  queued: queuedBytes,
};
