import { defineTask } from '../../../src/index.ts';

/** Its gate is the cancellation, which opens it in whichever thread or process it runs. */
export const untilCancelled = defineTask({
  name: 'until-cancelled',
  run: ({ signal }) =>
    new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    }),
});
