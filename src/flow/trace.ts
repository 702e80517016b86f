import type { Clock } from '../core/clock.ts';
import { requireName } from '../core/errors.ts';
import { parsePart } from '../core/flow/names.ts';
import type { RunState, RunValue } from '../core/flow/run.ts';
import type { Job } from '../core/job.ts';
import type { JobState } from '../core/job-state.ts';
import { correlationIdIn } from '../core/meta.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { planRefIn } from '../core/plan.ts';
import { someAtATime } from '../core/some-at-a-time.ts';
import { addUp, type KeptJob, type Ran, type Sum, type TimedJob, timed } from '../core/trace.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { JobPage, Store } from '../store/store.ts';
import { storeTime } from '../store/store-time.ts';
import { attemptsOf, READINGS_MAX } from './attempts.ts';
import type { Definitions } from './definitions.ts';
import { runsWithin } from './run-parts.ts';
import { jobIdOf, RUN_KIND, runIdOf, runKey } from './run-plan.ts';

/**
 * Where the time of a job, a run, or all jobs of a correlation id went, from what the store keeps (core/trace.ts has the
 * arithmetic): no collector is asked, so it is there for whatever is still kept.
 */
export interface Trace {
  /** As asked for. */
  readonly id: string;
  readonly kind: 'job' | 'run' | 'correlation';
  /** Of the request, or the id of the run or job itself. */
  readonly correlationId: string;
  /** Ms since the epoch, by the store's clock. */
  readonly startedAt: number;
  /** Null while something has not ended. */
  readonly endedAt: number | null;
  /** Until now, while something has not ended. */
  readonly totalMs: number;
  /** Of a job that is a step: also those around it, although only the job's own time is counted. */
  readonly runs: readonly TracedRun[];
  /** In the order of time; at most 1,000. */
  readonly jobs: readonly TracedJob[];
  /** There are more jobs, which are left out. */
  readonly more: boolean;
  readonly sum: Sum;
  /** What is not known, and why. */
  readonly notStored: readonly string[];
}

export interface TracedRun {
  readonly id: string;
  readonly flow: string;
  readonly state: RunState;
  readonly startedAt: number;
  readonly endedAt: number | null;
}

export interface TracedJob extends TimedJob {
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  readonly attempt: number;
  /** Of its run: the step, and which of its jobs. */
  readonly step: string | null;
  readonly part: string | null;
  /** The worker of the last attempt; null where it is not kept. */
  readonly worker: string | null;
  /** Every attempt that is kept, oldest first. */
  readonly attempts: readonly Ran[];
}

export interface TraceMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly definitions: Definitions;
}

const JOBS_MAX = 1_000;
const RUNS_MAX = 200;
const PAGE = 500;

export async function traceOf(id: string, means: TraceMeans): Promise<Trace | null> {
  requireName('id', id);
  const { store } = means;
  const [[job], plan] = await Promise.all([
    store.get([id]).catch(() => [null]),
    store.capabilities.plans ? store.plan(runKey(id), 'all') : null,
  ]);
  if (plan?.kind === RUN_KIND) return traceRun(id, plan, means);
  const related = await relatedJobs(id, store);
  const jobs =
    job == null || related.jobs.some((one) => one.id === id) ? related.jobs : [job, ...related.jobs];
  if (jobs.length === 0) return null;
  const plans = await plansOf(new Set(jobs.flatMap(runsAround)), store);
  const { more } = related;
  if (job == null) return traced({ id, kind: 'correlation', jobs, plans, more }, means);
  return traced({ id, kind: 'job', jobs, plans, around: new Set(runsAround(job)), more }, means);
}

/** Jobs whose meta has the id as their correlation id: those that a job's handler enqueued have the job's. Oldest first. */
async function relatedJobs(
  id: string,
  store: Store,
): Promise<{ readonly jobs: readonly Job[]; readonly more: boolean }> {
  const jobs: Job[] = [];
  let cursor: string | null = null;
  do {
    const page: JobPage = await store.list({
      correlationId: id,
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    jobs.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== null && jobs.length < JOBS_MAX);
  return { jobs: jobs.reverse(), more: cursor !== null };
}

/** The run that the job is a step of, and those around that. */
function runsAround(job: Job): string[] {
  const runs: string[] = [];
  for (
    let run = runIn(job);
    run !== null && run !== '';
    run = run.includes('>') ? run.slice(0, run.lastIndexOf('>')) : null
  )
    runs.push(run);
  return runs;
}

async function plansOf(ids: ReadonlySet<string>, store: Store): Promise<PlanRecord[]> {
  const plans = await someAtATime([...ids].slice(0, RUNS_MAX), READINGS_MAX, (run) =>
    store.plan(runKey(run)),
  );
  return plans.filter((plan) => plan !== null);
}

async function traceRun(id: string, plan: PlanRecord, means: TraceMeans): Promise<Trace> {
  const [ids, plans]: [string[], PlanRecord[]] = [[], []];
  for await (const { plan: own, run, parts } of runsWithin(plan, means)) {
    plans.push(own);
    // One more tells that there are more.
    for (const as of parts()) if (ids.length <= JOBS_MAX) ids.push(jobIdOf(run, as));
  }
  const jobs = (await means.store.get(ids.slice(0, JOBS_MAX))).filter((job) => job !== null);
  return traced({ id, kind: 'run', jobs, plans, more: ids.length > JOBS_MAX }, means);
}

interface Found {
  readonly id: string;
  readonly kind: Trace['kind'];
  readonly jobs: readonly Job[];
  readonly plans: readonly PlanRecord[];
  /** Runs of which there are other jobs, so that their times are not those of what was found. */
  readonly around?: ReadonlySet<string>;
  readonly more: boolean;
}

async function traced({ id, kind, jobs, plans, around, more }: Found, means: TraceMeans): Promise<Trace> {
  const now = await storeTime(means.store, means.clock);
  const runs = plans.map(runOf);
  const whole = runs.filter((run) => around?.has(run.id) !== true);
  const attempts = await attemptsOf(jobs, means);
  const facts = new Map(jobs.map((job) => [job.id, job]));
  const kept = jobs.map((job) => keptOf(job, attempts.get(job.id) ?? []));
  const all = timed(kept, new Map(whole.map((run) => [run.id, run.startedAt])), now);
  const [outer] = kind === 'run' ? runs : [];
  const starts = [...whole.map(({ startedAt }) => startedAt), ...jobs.map(({ createdAt }) => createdAt)];
  const ends = [...whole.map(({ endedAt }) => endedAt), ...jobs.map(({ finishedAt }) => finishedAt)];
  const open = outer === undefined ? ends.includes(null) : outer.endedAt === null;
  const startedAt = outer?.startedAt ?? Math.min(...starts);
  const lastAt = outer?.endedAt ?? Math.max(...ends.map((end) => end ?? now));
  const endedAt = open ? null : lastAt;
  const to = Math.max(startedAt, open ? now : lastAt);
  return {
    id,
    kind,
    correlationId: correlationOf(id, jobs, plans),
    startedAt,
    endedAt,
    totalMs: to - startedAt,
    runs,
    jobs: all.map((job) => tracedJob(job, facts.get(job.id) as Job, attempts.get(job.id) ?? [])),
    more,
    sum: addUp(all, { from: startedAt, to }),
    notStored: lacking(kind, jobs, attempts),
  };
}

function runOf({ value, state, key }: PlanRecord): TracedRun {
  const { flow, startedAt, endedAt } = JSON.parse(value) as RunValue;
  return { id: runIdOf(key), flow, state: state as RunState, startedAt, endedAt };
}

function correlationOf(asked: string, jobs: readonly Job[], plans: readonly PlanRecord[]): string {
  for (const { meta } of [...plans.map(({ value }) => JSON.parse(value) as RunValue), ...jobs]) {
    const id = correlationIdIn(meta);
    if (id !== undefined) return id;
  }
  return asked;
}

function keptOf(job: Job, attempts: readonly Ran[]): KeptJob {
  const { id, createdAt, dueAt, startedAt, finishedAt, attempt } = job;
  const last = attempts.findLast((one) => one.attempt === attempt) ?? null;
  return {
    id,
    run: runIn(job),
    createdAt,
    dueAt,
    startedAt,
    finishedAt,
    ran: finishedAt === null ? null : last,
  };
}

function runIn({ meta }: Job): string | null {
  const ref = planRefIn(meta);
  return ref?.plan.startsWith(runKey('')) ? runIdOf(ref.plan) : null;
}

function tracedJob(timedJob: TimedJob, job: Job, attempts: readonly Ran[]): TracedJob {
  const { task, queue, state, attempt, workerId, meta } = job;
  const part = timedJob.run === null ? null : (planRefIn(meta)?.as ?? null);
  return {
    ...timedJob,
    task,
    queue,
    state,
    attempt,
    step: part === null ? null : (parsePart(part)?.step ?? null),
    part,
    worker: workerId ?? timedJob.ran?.worker ?? null,
    attempts,
  };
}

function lacking(
  kind: Trace['kind'],
  jobs: readonly Job[],
  attempts: ReadonlyMap<string, readonly Ran[]>,
): string[] {
  const ended = jobs.filter(({ startedAt, finishedAt }) => startedAt !== null && finishedAt !== null);
  const bare = ended.filter(({ id }) => (attempts.get(id) ?? []).length === 0).length;
  return [
    ...(kind === 'run' ? [] : ['how long the call of enqueue took: it ends when the job is created']),
    ...(bare === 0
      ? []
      : [
          `worker, claim, run and settle of ${bare} of ${ended.length} jobs, apart from each other: workers write them down for jobs whose meta has a correlationId`,
        ]),
  ];
}
