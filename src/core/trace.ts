/**
 * How the time of a job, or of all that belongs together, adds up: from what stores keep, in ms since the epoch by the store's
 * clock. Pure arithmetic. A phase that is not kept apart is part of a wider one, and never guessed.
 */
export const PHASES = ['enqueue', 'delay', 'wait', 'claim', 'run', 'settle', 'busy', 'end'] as const;

/**
 * `enqueue`: of a step, from the end of what it came after to its being stored; waits of a run for signals and times are in it.
 * `delay`: until it is claimable for its last attempt: earlier attempts and the waits between them are in it. `wait`: until it
 * is claimed. `claim`: until its handler starts. `run`: the handler. `settle`: until its outcome is stored. `busy`: the last three
 * together, where they are not kept apart. `end`: from the last job's end to that of its run.
 */
export type PhaseName = (typeof PHASES)[number];

export interface Phase {
  readonly name: PhaseName;
  readonly from: number;
  readonly to: number;
}

/** What is kept of one job. */
export interface KeptJob {
  readonly id: string;
  /** The run that it is a step of. */
  readonly run: string | null;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Of the last attempt. */
  readonly ran: Ran | null;
}

/** Where and how long one attempt ran, as its worker wrote it down (worker/notes.ts). */
export interface Ran {
  readonly attempt: number;
  readonly worker: string;
  /** By the worker's clock. */
  readonly startedAt: number;
  readonly runMs: number;
}

/** In the order of time, without gaps. `now` ends what has not ended. */
export function phasesOf(job: KeptJob, enqueuedFrom: number | null, now: number): Phase[] {
  const { createdAt, startedAt, finishedAt, ran } = job;
  const ends: [PhaseName, number][] = [];
  if (enqueuedFrom !== null) ends.push(['enqueue', createdAt]);
  const claimedAt = startedAt ?? finishedAt ?? now;
  ends.push(['delay', Math.min(Math.max(job.dueAt, createdAt), claimedAt)], ['wait', claimedAt]);
  if (startedAt !== null) {
    const endedAt = finishedAt ?? now;
    if (ran === null) ends.push(['busy', endedAt]);
    else {
      // The worker's clock need not be the store's: what was claimed first started first.
      const began = Math.min(Math.max(ran.startedAt, startedAt), Math.max(startedAt, endedAt - ran.runMs));
      ends.push(['claim', began], ['run', Math.min(began + ran.runMs, endedAt)], ['settle', endedAt]);
    }
  }
  let from = enqueuedFrom ?? createdAt;
  const phases: Phase[] = [];
  for (const [name, to] of ends) {
    if (to > from || name === 'run') phases.push({ name, from, to: Math.max(from, to) });
    from = Math.max(from, to);
  }
  return phases;
}

export interface TimedJob extends KeptJob {
  readonly phases: readonly Phase[];
}

/**
 * In the order of time; what is the same to the millisecond stays in the given order. Steps begin where the last job of their
 * run that had ended by then ended; the first ones where the run began.
 */
export function timed(jobs: readonly KeptJob[], runs: ReadonlyMap<string, number>, now: number): TimedJob[] {
  return jobs
    .map((job) => ({ ...job, phases: phasesOf(job, enqueuedFrom(job, jobs, runs), now) }))
    .sort((one, other) => startOf(one) - startOf(other) || one.createdAt - other.createdAt);
}

function enqueuedFrom(
  job: KeptJob,
  jobs: readonly KeptJob[],
  runs: ReadonlyMap<string, number>,
): number | null {
  if (job.run === null) return null;
  const startedAt = runs.get(job.run);
  if (startedAt === undefined) return null;
  const ends = jobs.flatMap(({ run, finishedAt }) =>
    run === job.run && finishedAt !== null && finishedAt <= job.createdAt ? [finishedAt] : [],
  );
  return Math.min(Math.max(startedAt, ...ends), job.createdAt);
}

export interface Sum {
  /** Ids of the jobs that the end waited for, in the order of time. */
  readonly path: readonly string[];
  /** Time of each phase along the path, ms. */
  readonly phases: Readonly<Partial<Record<PhaseName, number>>>;
  /** Time along the path that is in none. */
  readonly otherMs: number;
  /** All of it: from `from` to `to`. */
  readonly totalMs: number;
}

/**
 * `jobs` as `timed` orders them. Adds up the way back from the end: the job that ended last, then what it came after, and so on to the start. What ran beside
 * that way made nothing later.
 */
export function addUp(
  jobs: readonly TimedJob[],
  { from, to }: { readonly from: number; readonly to: number },
): Sum {
  const sums: Partial<Record<PhaseName, number>> = {};
  const path: string[] = [];
  const left = new Map(jobs.map((job, index) => [job, index]));
  let [at, otherMs] = [to, 0];
  let after: TimedJob | null = null;
  let index = jobs.length;
  for (let job = before(left, { at, after, index }); job !== null; job = before(left, { at, after, index })) {
    const endedAt = Math.min(at, endOf(job));
    if (after === null && job.run !== null) sums.end = (sums.end ?? 0) + at - endedAt;
    else otherMs += at - endedAt;
    for (const phase of job.phases) {
      const ms = Math.min(phase.to, endedAt) - Math.max(phase.from, from);
      if (ms > 0) sums[phase.name] = (sums[phase.name] ?? 0) + ms;
    }
    path.unshift(job.id);
    at = Math.max(from, Math.min(at, startOf(job)));
    index = left.get(job) ?? 0;
    left.delete(job);
    after = job;
  }
  return { path, phases: sums, otherMs: otherMs + at - from, totalMs: to - from };
}

/** What a job that began at `at` came after. Of jobs that took no whole millisecond, only the order tells which came first. */
function before(
  jobs: ReadonlyMap<TimedJob, number>,
  { at, after, index }: { readonly at: number; readonly after: TimedJob | null; readonly index: number },
): TimedJob | null {
  const ended = [...jobs.keys()].filter(
    (job) => endOf(job) <= at && (startOf(job) < at || (jobs.get(job) ?? 0) < index),
  );
  const own = after?.run == null ? [] : ended.filter(({ run }) => run === after.run);
  // Where no step of the same run came before, a handler that ran at the time enqueued or started it. Stores keep whole
  // milliseconds, so that a handler may seem to have begun later in the same one.
  const around =
    after === null || own.length > 0
      ? []
      : [...jobs.keys()].filter((job) =>
          job.phases.some(
            ({ name, from, to }) => (name === 'run' || name === 'busy') && from < at + 1 && at <= to,
          ),
        );
  const candidates = own.length > 0 ? own : around.length > 0 ? around : ended;
  return candidates.reduce<TimedJob | null>(
    (best, job) => (best === null || endOf(job) >= endOf(best) ? job : best),
    null,
  );
}

function startOf({ phases, createdAt }: TimedJob): number {
  return phases[0]?.from ?? createdAt;
}

function endOf({ phases, createdAt }: TimedJob): number {
  return phases.at(-1)?.to ?? createdAt;
}
