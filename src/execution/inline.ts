import type { Lane } from './lane.ts';
import { runHandler } from './steps.ts';

/** Runs handlers on the event loop of the worker's own process. Stopping is cooperative, by the context's signal. */
export function inlineLane(): Lane {
  return {
    name: 'inline',
    run(task, job) {
      job.begin();
      return runHandler(task, job);
    },
    close: () => Promise.resolve(),
  };
}
