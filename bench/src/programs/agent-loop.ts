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
    enqueue: async (input) => loop.commitOne(input, 'enqueued'),
    enqueueMany: async (inputs) => loop.enqueue(inputs, 500),
    async work(handle) {
      const turns = new Turns(() => loop.process(batch, (input) => handle(input as never)));
      // Where nobody tells of a commit, it looks.
      const looking = server === null ? setInterval(() => turns.take(), 2) : undefined;
      if (server !== null) await loop.listen(() => turns.take());
      turns.take();
      return {
        stop() {
          clearInterval(looking);
          return turns.end();
        },
      };
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

/** One turn after the other; what is asked for during one makes another. */
class Turns {
  readonly #turn: () => Promise<unknown>;
  #running: Promise<unknown> | null = null;
  #again = false;
  #ended = false;

  constructor(turn: () => Promise<unknown>) {
    this.#turn = turn;
  }

  take(): void {
    if (this.#ended) return;
    this.#again = true;
    this.#running ??= this.#run();
    this.#running.catch(() => undefined);
  }

  end(): Promise<unknown> {
    this.#ended = true;
    return this.#running ?? Promise.resolve();
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#turn();
    }
    this.#running = null;
  }
}
