import { z } from 'zod';
import { defineTask, RetryAfterError, UnrecoverableError } from '../../../src/index.ts';

/** Activities of the tests. */
export const echo = defineTask<string, string>({ name: 'echo', run: ({ input }) => input });

/** Computes without a pause, in a thread: nothing of it hears a signal. */
export const compute = defineTask<number, string>({
  name: 'compute',
  strategy: 'thread',
  run: ({ input: ms, attempt }) => {
    const end = performance.now() + ms;
    let rounds = 0;
    while (performance.now() < end) rounds += 1;
    return `attempt ${attempt}, ${rounds > 0}`;
  },
});

export const facts = defineTask<unknown, unknown>({
  name: 'facts',
  run: ({ id, task, queue, input, attempt, attemptsMax, correlationId }) => ({
    id,
    task,
    queue,
    input: input ?? null,
    attempt,
    attemptsMax,
    correlationId,
  }),
});

export const sum = defineTask({
  name: 'sum',
  input: z.object({ a: z.number(), b: z.number() }),
  run: ({ input: { a, b } }) => a + b,
});

export const fail = defineTask<string, never>({
  name: 'fail',
  run: ({ input }) => {
    if (input === 'unrecoverable') throw new UnrecoverableError('never again');
    if (input === 'later') throw new RetryAfterError('not now', 3_600_000);
    throw new RangeError('out of range', { cause: new Error('the cause') });
  },
});

export const large = defineTask<number, string>({
  name: 'large',
  run: ({ input: bytes }) => 'x'.repeat(bytes),
});

/** Tells progress and fails; its second attempt returns what it found. */
export const resume = defineTask<null, unknown>({
  name: 'resume',
  strategy: 'thread',
  run: async ({ attempt, heartbeat, lastProgress }) => {
    const found = await lastProgress();
    if (attempt > 1) return found ?? null;
    heartbeat({ page: 7 });
    throw new Error('once more');
  },
});

/** Ends when the test says so. */
export const gate = defineTask<number, number>({
  name: 'gate',
  run: async ({ input, signal }) => {
    await new Promise<void>((resolve) => {
      gates.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return input;
  },
});

export const gates: (() => void)[] = [];
