import { defineTask } from '../../../src/index.ts';

/** What works on the event loop alone. */
export const completesInThread = defineTask({
  name: 'completes-in-a-thread',
  strategy: 'thread',
  attempts: 1,
  run: async ({ transaction, complete }) => {
    await complete(1, { tx: {} }).catch((error) => {
      if (error.code !== 'TRANSACTIONS_UNSUPPORTED') throw new Error(`code ${error.code}`);
    });
    await transaction({}, async () => 1);
  },
});
