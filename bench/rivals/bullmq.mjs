/**
 * BullMQ with its defaults, through `addBulk` and one Worker. What ends is kept or removed as the settings say, with the
 * same bounds as Longshore's default retention: a million jobs, seven days.
 */
import { openBull } from './bullmq-system.mjs';
import { measure } from './measure.mjs';

measure((settings) => {
  const { system, startWorker } = openBull(settings);
  return {
    ...system,
    async work(handler) {
      const worker = await startWorker(async ({ data }) => handler(data));
      return { stop: () => worker.close() };
    },
  };
});
