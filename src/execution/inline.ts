import type { Lane } from './lane.ts';

/** Runs handlers on the event loop of the worker's own process. Stopping is cooperative, by the context's signal. */
export function inlineLane(): Lane {
  return {
    name: 'inline',
    run: (task, context) => task.run(context),
    close: () => Promise.resolve(),
  };
}
