/** pg-boss as its documentation has it: `work()` with batches, fetching on at once while they come back full. */
import { measure } from './measure.mjs';
import { openBoss, QUEUE } from './pg-boss-system.mjs';

const BATCH = 500;

measure(({ server }) => {
  const { boss, system } = openBoss(server);
  return {
    ...system,
    async work(handler) {
      const options = { batchSize: BATCH, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
      await boss.work(QUEUE, options, async (jobs) => {
        for (const { data } of jobs) handler(data);
      });
      return { stop: () => boss.offWork(QUEUE) };
    },
  };
});
