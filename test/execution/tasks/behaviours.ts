/** Tasks for the strategy suite: each does one thing that must look the same in every lane. */
import { z } from 'zod';
import { connect, defineTask, RetryAfterError, SnoozeError, UnrecoverableError } from '../../../src/index.ts';
import { HOSTILE } from '../../hostile.ts';

export const echo = defineTask({ name: 'echo', run: ({ input }) => input });

export const nothing = defineTask({ name: 'nothing', run: () => undefined });

export const dated = defineTask({
  name: 'dated',
  input: z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
  run: ({ input }) => ({ isDate: input.at instanceof Date, year: input.at.getUTCFullYear() }),
});

export const slowSchema = defineTask({
  name: 'slow-schema',
  input: z.number().refine(async (value) => value < 3),
  run: ({ input }) => input,
});

export const facts = defineTask({
  name: 'facts',
  queue: 'fact-queue',
  key: 'fact-key',
  attempts: 4,
  run: ({ id, task, queue, key, meta, correlationId, flow, attempt, attemptsMax, input, signal }) => ({
    id,
    task,
    queue,
    key,
    meta,
    correlationId,
    flow,
    attempt,
    attemptsMax,
    input,
    aborted: signal.aborted,
  }),
});

/** Its own connection, where it runs; what it enqueues ends with that. */
export const enqueues = defineTask({
  name: 'enqueues',
  run: async () => {
    const own = await connect('memory:');
    try {
      const job = await own.enqueue('child', 1);
      const given = await own.enqueue('child', 2, { meta: { correlationId: 'given' } });
      const views = await Promise.all([job, given].map(({ id }) => own.jobs.get(id)));
      return views.map((view) => [view?.meta?.correlationId, view?.meta?.traceparent]);
    } finally {
      await own.close();
    }
  },
});

export const tells = defineTask({
  name: 'tells',
  run: async ({ progress, log }) => {
    progress({ percent: 10 });
    log('first', { n: 1 });
    await Promise.resolve();
    progress({ percent: 90 });
    log('second');
  },
});

export const badLog = defineTask({
  name: 'bad-log',
  attempts: 1,
  run: ({ log }) => log('', null),
});

export const badProgress = defineTask({
  name: 'bad-progress',
  attempts: 1,
  run: ({ progress }) => progress({ at: 1n }),
});

export const badHeartbeat = defineTask({
  name: 'bad-heartbeat',
  attempts: 1,
  run: ({ heartbeat }) => heartbeat(new Map()),
});

/** Goes on where the attempt before stopped, three rows further each time. */
export const resumes = defineTask({
  name: 'resumes',
  attempts: 3,
  backoff: 0,
  run: async ({ attempt, heartbeat, lastProgress }) => {
    const { row: first } = ((await lastProgress()) ?? { row: 0 }) as { row: number };
    for (let row = first + 1; row <= first + 3; row += 1) heartbeat({ row });
    if (attempt < 3) throw new Error('once more');
    return { first, last: await lastProgress() };
  },
});

export const goesSilent = defineTask({
  name: 'goes-silent',
  attempts: 1,
  heartbeatTimeoutMs: 100,
  run: ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});

/** Holds its event loop for several times its heartbeat timeout, and says all the while that it is alive. */
export const beats = defineTask({
  name: 'beats',
  attempts: 1,
  heartbeatTimeoutMs: 200,
  run: async ({ heartbeat }) => {
    const until = Date.now() + 700;
    let times = 0;
    for (; Date.now() < until; times += 1) heartbeat();
    heartbeat({ times });
    return times > 1_000;
  },
});

export const throwsTypeError = defineTask({
  name: 'throws-type-error',
  attempts: 1,
  run: () => {
    const error = new TypeError('the outer one', { cause: new RangeError('the inner one') });
    throw Object.assign(error, { code: 'E_OUTER', limit: new Date(0), callback: () => 1 });
  },
});

export const throwsText = defineTask({
  name: 'throws-text',
  attempts: 1,
  run: () => {
    throw 'just text';
  },
});

class OwnError extends Error {
  override readonly name = 'OwnError';
  readonly status = 418;
}

/** What the backoff function, which runs in the worker, is given. */
export const seenByBackoff: unknown[] = [];

export const asksBackoff = defineTask({
  name: 'asks-backoff',
  attempts: 2,
  backoff: (_, error) => {
    seenByBackoff.push(error);
    return 0;
  },
  run: ({ attempt }) => {
    if (attempt === 1) throw new OwnError('teapot', { cause: new TypeError('no coffee') });
    return 'second time';
  },
});

export const unrecoverable = defineTask({
  name: 'unrecoverable',
  attempts: 5,
  run: () => {
    throw new UnrecoverableError('never again');
  },
});

export const retriesAfter = defineTask({
  name: 'retries-after',
  attempts: 5,
  run: () => {
    throw new RetryAfterError('in a while', 123_456);
  },
});

export const snoozes = defineTask({
  name: 'snoozes',
  run: () => {
    throw new SnoozeError(654_321);
  },
});

export const returnsFunction = defineTask({
  name: 'returns-function',
  attempts: 5,
  run: () => ({ callback: () => 1 }),
});

export const waitsForSignal = defineTask({
  name: 'waits-for-signal',
  attempts: 1,
  timeoutMs: 60_000,
  run: ({ signal, log }) =>
    new Promise((_, reject) => {
      log('waiting');
      signal.addEventListener('abort', () => {
        log('stopped', { code: (signal.reason as { code: string }).code });
        reject(signal.reason);
      });
    }),
});

export const throwsHostile = defineTask({
  name: 'throws-hostile',
  attempts: 1,
  run: ({ input }) => {
    throw HOSTILE[input as string]?.();
  },
});

export const rejectsHostile = defineTask({
  name: 'rejects-hostile',
  attempts: 1,
  run: async ({ input }) => {
    await null;
    throw HOSTILE[input as string]?.();
  },
});

export const returnsHostile = defineTask({
  name: 'returns-hostile',
  attempts: 1,
  run: ({ input }) => ({ inside: HOSTILE[input as string]?.() }),
});

/** The backoff function throws what it is given to throw. */
export const backsOffHostile = defineTask({
  name: 'backs-off-hostile',
  attempts: 2,
  backoff: () => {
    throw HOSTILE['a revoked proxy']?.();
  },
  run: () => {
    throw new Error('again');
  },
});

export const durable = defineTask({
  name: 'durable',
  attempts: 2,
  backoff: 0,
  run: async ({ step, sleep, waitFor, attempt, log }) => {
    const drawn = await step('draw', () => ({ at: new Date(), number: Math.random() }));
    log('drawn', drawn);
    if (attempt === 1) throw new Error('again');
    await sleep('a moment', 1);
    const [one, two, signal] = await Promise.all([
      step('one', () => undefined),
      step('two', async () => 2),
      waitFor<{ text: string }>('signal'),
    ]);
    return { drawn, one: one === undefined, two, signal, missed: await waitFor('never', { timeoutMs: 1 }) };
  },
});

export const durableFaults = defineTask<string>({
  name: 'durable-faults',
  attempts: 1,
  run: async ({ input, step, sleep }) => {
    if (input === 'STEP_DUPLICATE') await Promise.all([step('same', () => 1), step('same', () => 2)]);
    if (input === 'PAYLOAD_NOT_JSON') await step('map', () => new Map());
    if (input === 'SUSPENSION_SWALLOWED') await sleep('nap', 60_000).catch(() => 'never mind');
    if (input === 'OWN')
      await step('own', () => Promise.reject(Object.assign(new Error('own'), { code: 'OWN' })));
  },
});

/** Short as those that are handed to hosts together, but for some. */
export const mostlyShort = defineTask<number>({
  name: 'mostly-short',
  run: ({ input, step }) => (input % 10 === 9 ? step('kept', () => input) : input),
});
