import type { Counter, Histogram } from 'prom-client';
import type { EndFacts, EventName, Events, JobFacts } from '../events.ts';
import type { Family } from './family.ts';
import type { MetricsSource } from './source.ts';

/** What events add up to: counters, and histograms in seconds. Returns what ends it. */
export function countEvents(source: MetricsSource, family: Family): () => void {
  const ends: (() => void)[] = [];
  const on = <Name extends EventName>(name: Name, listener: (event: Events[Name]) => void): void => {
    ends.push(source.on(name, listener));
  };
  countJobs(on, family);
  countRest(on, family);
  timeStore(on, family);
  return () => {
    for (const end of ends) end();
  };
}

type On = <Name extends EventName>(name: Name, listener: (event: Events[Name]) => void) => void;

/** The ends of attempts, each a value of the label `outcome`. */
const ENDS = {
  'job.completed': 'completed',
  'job.retried': 'retried',
  'job.failed': 'failed',
  'job.cancelled': 'cancelled',
  'job.snoozed': 'snoozed',
} as const satisfies Partial<Record<EventName, string>>;

function countJobs(on: On, family: Family): void {
  const enqueued = family.counter('longshore_jobs_enqueued_total', 'Jobs added by this process.', [
    'queue',
    'task',
  ]);
  const ended = family.counter(
    'longshore_job_attempts_total',
    'Attempts that ended in this process, by outcome.',
    ['queue', 'task', 'outcome'],
  );
  const expired = family.counter(
    'longshore_leases_expired_total',
    'Jobs taken back from silent workers by this process.',
    ['queue', 'task'],
  );
  const wait = family.histogram(
    'longshore_job_wait_seconds',
    'From claimable to claimed.',
    ['queue'],
    WAIT_BUCKETS_SECONDS,
  );
  const run = family.histogram('longshore_job_run_seconds', 'Time in the handler.', ['task']);
  const pairs = family.labels('pairs of queue and task', (queue, task) => ({
    enqueued: enqueued.labels(queue as string, task as string),
    ended: (outcome: string): Counter.Internal => ended.labels(queue as string, task as string, outcome),
    expired: (): Counter.Internal => expired.labels(queue as string, task as string),
  }));
  const queues = family.labels('queues', (queue) => wait.labels(queue as string));
  const tasks = family.labels('tasks', (task) => run.labels(task as string));
  const pair = ({ queue, task }: JobFacts): ReturnType<typeof pairs.two> => pairs.two(queue, task);
  on('job.enqueued', (event) => {
    if (event.status === 'created') pair(event).enqueued.inc();
  });
  for (const [name, outcome] of Object.entries(ENDS) as [keyof typeof ENDS, string][])
    on(name, (event: EndFacts) => {
      pair(event).ended(outcome).inc();
      queues.one(event.queue).observe(event.waitMs / MS);
      tasks.one(event.task).observe(event.runMs / MS);
    });
  on('job.released', (event) => pair(event).ended('released').inc());
  on('job.lost', (event) => pair(event).ended('lost').inc());
  on('job.expired', (event) => pair(event).expired().inc());
}

const MS = 1_000;

/** Few, since there may be a thousand queues. */
const WAIT_BUCKETS_SECONDS = [0.01, 0.1, 1, 10, 60, 600];

/** What has labels of few values, or names of tasks, flows and schedules. */
function countRest(on: On, family: Family): void {
  const count = <Name extends EventName>(
    name: Name,
    metric: { readonly name: string; readonly help: string; readonly labels: readonly string[] },
    valuesOf: (event: Events[Name]) => readonly string[] | null,
  ): void => {
    const counter = family.counter(metric.name, metric.help, metric.labels);
    const sets = family.labels(`label sets of ${metric.name}`, (...values) => counter.labels(...values));
    on(name, (event) => {
      const [one, two] = valuesOf(event) ?? [];
      if (one !== undefined) (two === undefined ? sets.one(one) : sets.two(one, two)).inc();
    });
  };
  const metric = (name: string, help: string, ...labels: string[]) => ({
    name: `longshore_${name}_total`,
    help,
    labels,
  });
  count(
    'job.abandoned',
    metric('jobs_abandoned', 'Handlers that ignored their abort signal.', 'task'),
    ({ task }) => [task],
  );
  count('job.slow', metric('jobs_slow', 'Attempts that used 80 % of their timeout.', 'task'), ({ task }) => [
    task,
  ]);
  count(
    'task.blocked',
    metric('task_blocked', 'Times a task held the event loop too long.', 'task'),
    ({ task }) => [task],
  );
  count(
    'task.unknown',
    metric('task_unknown', 'Claims of jobs whose task the worker lacks.', 'task'),
    ({ task }) => [task],
  );
  count(
    'payload.unopened',
    metric('payloads_unopened', 'Claims of jobs whose payload the worker cannot open.', 'task'),
    ({ task }) => [task],
  );
  count(
    'host.started',
    metric('hosts_started', 'Threads and child processes that were started.', 'lane'),
    ({ lane }) => [lane],
  );
  count(
    'host.ended',
    metric('hosts_ended', 'Threads and child processes that ended, and why.', 'lane', 'why'),
    ({ lane, why }) => [lane, why],
  );
  count('tuner.adjusted', metric('tuner_adjustments', 'Decisions of the tuner.', 'reason'), ({ reason }) => [
    reason,
  ]);
  count('run.started', metric('runs_started', 'Runs of flows that began.', 'flow'), ({ flow }) => [flow]);
  count(
    'run.moved',
    metric('runs_moved', 'Runs that went to another state.', 'flow', 'to'),
    ({ flow, to }) => [flow, to],
  );
  count(
    'step.moved',
    metric('steps_moved', 'Steps of runs that went to another state.', 'flow', 'to'),
    ({ flow, to }) => [flow, to],
  );
  count(
    'schedule.ticked',
    metric('schedule_starts', 'Jobs and runs started by schedules.', 'schedule'),
    ({ schedule }) => [schedule],
  );
  count(
    'schedule.skipped',
    metric('schedule_skips', 'Spans of ticks that started nothing.', 'schedule', 'reason'),
    ({ schedule, reason }) => [schedule, reason],
  );
  count(
    'plan.stuck',
    metric('plans_stuck', 'Looks at plans that cannot be decided on.', 'kind'),
    ({ kind }) => [kind],
  );
  count('store.failed', metric('store_failures', 'Calls of services that failed.', 'verb'), ({ verb }) => [
    verb,
  ]);
}

function timeStore(on: On, family: Family): void {
  const called = family.histogram('longshore_store_call_seconds', 'Calls of the store.', ['verb']);
  const verbs = new Map<string, Histogram.Internal<string>>();
  on('store.called', ({ verb, tookMs }) => {
    let child = verbs.get(verb);
    if (child === undefined) {
      child = called.labels(verb);
      verbs.set(verb, child);
    }
    child.observe(tookMs / MS);
  });
  const claimed = family.counter('longshore_claimed_jobs_total', 'Jobs that claims brought.', []);
  const pruned = family.counter('longshore_pruned_jobs_total', 'Finished jobs deleted by retention.', []);
  on('worker.claimed', ({ jobs }) => claimed.inc(jobs));
  on('store.pruned', ({ jobs }) => pruned.inc(jobs));
}
