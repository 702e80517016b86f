/** Tasks for the tests of the runner, in a module of their own, which threads and processes import. */
import { z } from 'zod';
import { defineTask, RetryAfterError, SnoozeError, UnrecoverableError } from '../../src/index.ts';

/** Blocks its thread until `ms` have passed. */
function compute(ms: number): void {
  for (const until = Date.now() + ms; Date.now() < until; );
}

export const echo = defineTask({ name: 'echo', run: ({ input }) => input });

export const facts = defineTask({
  name: 'facts',
  run: async ({ id, task, queue, attempt, attemptsMax, correlationId, meta, lastProgress }) => ({
    id,
    task,
    queue,
    attempt,
    attemptsMax,
    correlationId,
    traceparent: meta.traceparent,
    last: await lastProgress(),
  }),
});

export const dated = defineTask({
  name: 'dated',
  input: z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
  run: ({ input }) => input.at.getUTCFullYear(),
});

export const fails = defineTask({
  name: 'fails',
  backoff: 250,
  run: ({ input }) => {
    const error = Object.assign(new TypeError('it broke'), { bpmnCode: 'E1' });
    if (input === 'unrecoverable') throw new UnrecoverableError('never again');
    if (input === 'retryAfter') throw new RetryAfterError('later', 777);
    if (input === 'snooze') throw new SnoozeError(500);
    if (input === 'text') throw 'just text';
    throw error;
  },
});

export const tells = defineTask({
  name: 'tells',
  run: async ({ progress, heartbeat, log, lastProgress }) => {
    progress({ percent: 10 });
    heartbeat({ percent: 20 });
    heartbeat();
    log('half way', { n: 1 });
    return lastProgress();
  },
});

/** Ends when its signal aborts. */
export const obedient = defineTask({
  name: 'obedient',
  run: ({ signal, progress }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      progress('begun');
    }),
});

/** Computes for a minute, whatever its signal says. */
export const deaf = defineTask({
  name: 'deaf',
  run: ({ progress }) => {
    progress('begun');
    compute(60_000);
  },
});

export const crashes = defineTask({ name: 'crashes', run: () => process.exit(7) });

export const blocks = defineTask({
  name: 'blocks',
  run: ({ input }) => {
    compute(input as number);
    return 'done';
  },
});

export const steps = defineTask({ name: 'steps', run: ({ step }) => step('one', () => 1) });

export const completes = defineTask({
  name: 'completes',
  run: ({ complete }) => complete('x', { tx: {} }),
});

export const transacts = defineTask({ name: 'transacts', run: ({ transaction }) => transaction(() => 'x') });
