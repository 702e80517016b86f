import Type, { type Static } from 'typebox';
import type { JobView } from '../../queue/job-view.ts';
import { Closed, Nullable, Queue, Task, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import { newestJobs } from '../recent.ts';
import { deadLetters, GroupForm } from './dead-letters.ts';

/** How long the newest jobs waited and ran, and what failed. */
const LOOKED_AT_MAX = 1_000;
const TOP = 10;

const SpreadForm = Nullable(
  Closed({ p50: Type.Number(), p95: Type.Number(), p99: Type.Number(), max: Type.Number() }),
);

const AnalyticsForm = Closed({
  lookedAt: Type.Integer({ description: 'The newest ended jobs, which all this is about' }),
  from: Nullable(Time),
  to: Nullable(Time),
  waitMs: SpreadForm,
  runMs: SpreadForm,
  slowest: Type.Array(
    Closed({
      id: Type.String(),
      task: Type.String(),
      queue: Type.String(),
      runMs: Type.Number(),
      waitMs: Type.Number(),
    }),
  ),
  tasks: Type.Array(
    Closed({
      task: Type.String(),
      ended: Type.Integer(),
      failed: Type.Integer(),
      cancelled: Type.Integer(),
      waitMs: SpreadForm,
      runMs: SpreadForm,
    }),
    { description: 'Those that fail most first' },
  ),
  errors: Type.Array(GroupForm, { description: 'Of the newest failed jobs, the most frequent first' }),
});

const get = operation('GET /analytics', {
  id: 'getAnalytics',
  summary: `Waits and times of the newest ${LOOKED_AT_MAX} ended jobs, the slowest, what fails most, and errors by fingerprint`,
  role: 'look',
  query: Closed({ queue: Type.Optional(Queue), task: Type.Optional(Task) }),
  answers: { 200: { is: 'As of the last 5 s', schema: AnalyticsForm } },
  run: async ({ query, ...means }) => ({
    json: await means.cache.get(JSON.stringify(['analytics', query.queue, query.task]), async () => {
      const states = ['completed', 'failed', 'cancelled'] as const;
      const [{ jobs }, { groups }] = await Promise.all([
        newestJobs(means.longshore, states, { ...query, most: LOOKED_AT_MAX }),
        deadLetters(means, query),
      ]);
      return { ...analyticsOf(jobs), errors: groups.slice(0, TOP) };
    }),
  }),
});

/** A job that ran; a cancelled one may never have. */
interface Timed {
  readonly job: JobView;
  readonly waitMs: number;
  readonly runMs: number;
}

function analyticsOf(jobs: readonly JobView[]): Omit<Static<typeof AnalyticsForm>, 'errors'> {
  const ends = jobs.map(({ finishedAt }) => finishedAt).filter((at) => at !== null);
  const timed = jobs.flatMap(timedOf);
  const slowest = [...timed].sort((one, other) => other.runMs - one.runMs).slice(0, TOP);
  return {
    lookedAt: jobs.length,
    from: ends.length === 0 ? null : Math.min(...ends),
    to: ends.length === 0 ? null : Math.max(...ends),
    ...spreadsOf(timed),
    slowest: slowest.map(({ job: { id, task, queue }, runMs, waitMs }) => ({
      id,
      task,
      queue,
      runMs,
      waitMs,
    })),
    tasks: [...Map.groupBy(jobs, ({ task }) => task)]
      .map(([task, all]) => ({
        task,
        ended: all.length,
        failed: all.filter(({ state }) => state === 'failed').length,
        cancelled: all.filter(({ state }) => state === 'cancelled').length,
        ...spreadsOf(all.flatMap(timedOf)),
      }))
      .sort((one, other) => other.failed - one.failed || other.ended - one.ended),
  };
}

function timedOf(job: JobView): Timed[] {
  const { startedAt, finishedAt, dueAt } = job;
  if (startedAt === null || finishedAt === null) return [];
  return [{ job, waitMs: Math.max(0, startedAt - dueAt), runMs: Math.max(0, finishedAt - startedAt) }];
}

function spreadsOf(timed: readonly Timed[]) {
  return {
    waitMs: spread(timed.map(({ waitMs }) => waitMs)),
    runMs: spread(timed.map(({ runMs }) => runMs)),
  };
}

function spread(values: readonly number[]): Static<typeof SpreadForm> {
  if (values.length === 0) return null;
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] as number;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

export const analytics: readonly Operation[] = [get];
