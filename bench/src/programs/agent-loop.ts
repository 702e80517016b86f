import type { HandWrittenLoop } from '../ceiling.ts';
import { agent } from '../kit/agent.ts';
import type { System } from '../kit/system.ts';
import { openLoop } from '../open-ceiling.ts';

/** The loop written by hand as a system: batches as large as `concurrency`, or 500 where handlers do nothing. */
agent(({ url, server, handler, concurrency }): System => {
  let loop: HandWrittenLoop;
  const batch = handler === 'none' ? 500 : concurrency;
  return {
    async prepare() {
      loop = await openLoop({ url, server });
    },
    enqueue: async (input) => loop.commitOne(input),
    enqueueMany: async (inputs) => loop.enqueue(inputs, 500),
    async work(handle) {
      const running = loop.process(batch, (input) => handle(input as never));
      running.catch(() => undefined);
      return { stop: () => running };
    },
    async unfinished() {
      const { ready, running } = await loop.count();
      return ready + running;
    },
    async counts() {
      return { ...(await loop.count()) };
    },
    purge: () => loop.purge(),
    close: async () => loop.close(),
  };
});
