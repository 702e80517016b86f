/** pg-boss by its bare verbs: a loop that fetches a batch, runs it and completes it, without a pause. */
import { measure } from './measure.mjs';
import { openBoss, QUEUE } from './pg-boss-system.mjs';

const BATCH = 500;
const REST_MS = 2;

measure(({ server }) => {
  const { boss, system } = openBoss(server);
  return {
    ...system,
    async work(handler) {
      let stopping = false;
      const loop = async () => {
        while (!stopping) {
          const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
          for (const { data } of jobs) handler(data);
          if (jobs.length > 0)
            await boss.complete(
              QUEUE,
              jobs.map(({ id }) => id),
            );
          else await new Promise((resolve) => setTimeout(resolve, REST_MS));
        }
      };
      const running = loop();
      return {
        async stop() {
          stopping = true;
          await running;
        },
      };
    },
  };
});
