import type { Job } from './job.ts';
import { ALL_QUEUES } from './job.ts';
import { isTerminal, type JobState } from './job-state.ts';
import type { QueueLimits, Rate } from './limits.ts';

/**
 * Why a job does not run: the one rule, over what a store can tell in a moment. Reasons that somebody must act on come
 * first, then what ends by itself. Several may hold at a time; none of them means that it is about to be claimed.
 */
export interface Why {
  readonly id: string;
  readonly state: JobState;
  readonly reasons: readonly Reason[];
}

export interface Reason {
  readonly code: ReasonCode;
  /** A sentence for people. */
  readonly text: string;
  /** When it ends by itself, in ms since the epoch; null: not known, or not by itself. */
  readonly until: number | null;
}

export const REASON_CODES = [
  'ended',
  'running',
  'stopping',
  'allPaused',
  'queuePaused',
  'noWorker',
  'noWorkerWithTask',
  'dueLater',
  'retryLater',
  'keyOrder',
  'keyTurn',
  'limit',
  'rate',
  'workersBusy',
  'line',
  'next',
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** What the store told of the job's surroundings. */
export interface Surroundings {
  readonly now: number;
  /** All queues; the job's may be missing where it has no settings and no jobs any more. */
  readonly queues: readonly {
    readonly name: string;
    readonly pausedAt: number | null;
    readonly limits: QueueLimits;
    readonly counts: Readonly<Record<JobState, number>>;
  }[];
  readonly workers: readonly {
    readonly id: string;
    readonly alive: boolean;
    readonly tasks: readonly string[];
    readonly queues: readonly string[];
    readonly slots: number;
    readonly slotsUsed: number;
  }[];
}

type Seen = Pick<
  Job,
  | 'id'
  | 'state'
  | 'queue'
  | 'task'
  | 'key'
  | 'held'
  | 'dueAt'
  | 'attempt'
  | 'finishedAt'
  | 'startedAt'
  | 'workerId'
  | 'cancelRequested'
>;

export function why(job: Seen, around: Surroundings): Why {
  const { id, state } = job;
  if (isTerminal(state)) return { id, state, reasons: [of('ended', `It has ended: it is ${state}.`)] };
  if (state === 'running') return { id, state, reasons: [whileRunning(job)] };
  const reasons = [...paused(job, around), ...withoutWorker(job, around), ...whileWaiting(job, around)];
  const isNext = reasons.length === 0;
  return {
    id,
    state,
    reasons: isNext ? [of('next', 'Nothing holds it: a worker takes it in a moment.')] : reasons,
  };
}

function whileRunning({ workerId, cancelRequested }: Seen): Reason {
  const where = workerId === null ? 'It runs' : `It runs on worker ${workerId}`;
  return cancelRequested ? of('stopping', `${where}, and was asked to stop.`) : of('running', `${where}.`);
}

function paused({ queue }: Seen, { queues }: Surroundings): Reason[] {
  const isPaused = (name: string): boolean =>
    queues.some((one) => one.name === name && one.pausedAt !== null);
  return [
    ...(isPaused(ALL_QUEUES) ? [of('allPaused', 'All queues are paused.')] : []),
    ...(isPaused(queue) ? [of('queuePaused', `Its queue '${queue}' is paused.`)] : []),
  ];
}

function withoutWorker({ queue, task }: Seen, { workers }: Surroundings): Reason[] {
  const here = serving(queue, workers);
  if (here.length === 0) return [of('noWorker', `No live worker serves its queue '${queue}'.`)];
  if (here.some(({ tasks }) => tasks.includes(task))) return [];
  return [of('noWorkerWithTask', `No live worker of its queue '${queue}' has its task '${task}'.`)];
}

function serving(queue: string, workers: Surroundings['workers']): Surroundings['workers'] {
  return workers.filter((worker) => worker.alive && worker.queues.includes(queue));
}

function whileWaiting(job: Seen, around: Surroundings): Reason[] {
  const { state, dueAt, attempt, held } = job;
  if (state === 'scheduled' && dueAt > around.now)
    return [
      attempt > 0
        ? of(
            'retryLater',
            `Attempt ${attempt} failed or was put off; the next one is due at ${time(dueAt)}.`,
            dueAt,
          )
        : of('dueLater', `It is due at ${time(dueAt)}.`, dueAt),
    ];
  return held ? [heldBack(job, around)] : inLine(job, around);
}

function heldBack({ key, queue }: Seen, { queues }: Surroundings): Reason {
  const { ordered, concurrency } = limitsOf(queue, queues)?.perKey ?? { ordered: false, concurrency: null };
  if (ordered)
    return of('keyOrder', `Jobs of its key '${key}' run in order, and one before it has not ended.`);
  const most = concurrency === null ? '' : `, of which ${concurrency} may run at a time`;
  return of('keyTurn', `Other jobs of its key '${key}' are in line before it${most}.`);
}

/** Ready, and let in: what keeps the line from moving. */
function inLine({ queue }: Seen, { queues, workers }: Surroundings): Reason[] {
  const record = queues.find(({ name }) => name === queue);
  const limits = record?.limits;
  const [ready, running] = [record?.counts.ready ?? 0, record?.counts.running ?? 0];
  const here = serving(queue, workers);
  const isBusy = here.length > 0 && here.every(({ slots, slotsUsed }) => slotsUsed >= slots);
  const before = Math.max(0, ready - 1);
  return [
    ...(limits?.concurrency != null && running >= limits.concurrency
      ? [of('limit', `Its queue runs ${running} jobs, and its limit is ${limits.concurrency}.`)]
      : []),
    ...(limits?.rate != null && ready > 0 ? [of('rate', rateText('Its queue', limits.rate))] : []),
    ...(limits?.perKey.rate != null
      ? [of('rate', rateText('Each key of its queue', limits.perKey.rate))]
      : []),
    ...(isBusy ? [of('workersBusy', 'All slots of the workers of its queue are in use.')] : []),
    ...(before > 0 ? [of('line', `Up to ${before} ready jobs of its queue come first.`)] : []),
  ];
}

function limitsOf(queue: string, queues: Surroundings['queues']): QueueLimits | undefined {
  return queues.find(({ name }) => name === queue)?.limits;
}

function rateText(of: string, { count, perMs }: Rate): string {
  return `${of} may start ${count} in any ${perMs} ms, so it may have to wait for that.`;
}

function time(at: number): string {
  return new Date(at).toISOString();
}

function of(code: ReasonCode, text: string, until: number | null = null): Reason {
  return { code, text, until };
}
