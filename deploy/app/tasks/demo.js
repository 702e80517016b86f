import { setTimeout as delay } from 'node:timers/promises';
import { defineTask } from 'longshore';

/** What the load of compose.yaml runs: 20 to 100 ms, and one in fifty attempts fails. */
export const demo = defineTask({
  name: 'demo',
  run: async ({ input }) => {
    await delay(20 + Math.random() * 80);
    if (Math.random() < 0.02) throw new Error(`no luck with ${input}`);
    return input;
  },
});
