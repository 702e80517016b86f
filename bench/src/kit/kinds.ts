import type { EnqueueOptions, JobContext } from '../longshore.ts';
import { monotonicMs } from '../pacer.ts';

/**
 * Kinds of jobs: what the same job costs with one thing more. Each is what a user would write: options of the enqueue, or what
 * the handler does.
 */
export interface Kind {
  readonly title: string;
  /** Of the enqueue of job `n`. Batches are of jobs with equal options, so these go one by one, many at a time. */
  readonly options?: (n: number) => EnqueueOptions;
  /** Done before the handler proper. What it throws, the job throws. */
  readonly before?: (context: JobContext<unknown>) => unknown;
  readonly result?: () => unknown;
}

const KINDS: Readonly<Record<string, Kind>> = {
  plain: { title: 'nothing more' },
  alone: { title: 'enqueued alone, many at a time', options: () => ({}) },
  result: { title: 'a result of 100 characters is kept', result: () => 'x'.repeat(100) },
  timed: { title: 'the time of its end as its result', result: monotonicMs },
  priority: { title: 'one of ten priorities', options: (n) => ({ priority: n % 10 }) },
  delayed: { title: 'delayed by 1 ms', options: () => ({ delayMs: 1 }) },
  unique: { title: 'a unique key of its own', options: (n) => ({ unique: { key: `unique-${n}` } }) },
  keyed: { title: 'takes turns with those of 99 other keys', options: (n) => ({ key: `key-${n % 100}` }) },
  meta: {
    title: 'correlation id and two tags',
    options: (n) => ({ meta: { correlationId: `request-${n}`, tags: ['bench', 'kind'] } }),
  },
  retried: {
    title: 'fails once, runs again at once',
    options: () => ({ attempts: 2, backoff: 0 }),
    before: ({ attempt }) => {
      if (attempt === 1) throw new Error('The first attempt fails.');
    },
  },
  steps: {
    title: 'two durable steps',
    before: async ({ step }) => {
      await step('first', () => 1);
      await step('second', () => 2);
    },
  },
};

/** Throws where there is none of this name. */
export function kindOf(name: string): Kind {
  const kind = KINDS[name];
  if (kind !== undefined) return kind;
  throw new Error(`There is no kind ${JSON.stringify(name)}; there are ${Object.keys(KINDS).join(', ')}.`);
}
