import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { type AttemptError, LongshoreError, show, toAttemptError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { JobTrail, Lease, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { facts } from './facts.ts';
import type { NoteTaker } from './note-taker.ts';

/**
 * What becomes of jobs that this worker cannot run but another one may: it lacks their task, or the key of their payload.
 * They go back uncharged, for a time that grows with how long they have waited. The worker that meets one first says so in
 * the job's log, and from then on its time runs: after `unknownTaskMs` without an attempt the job is a dead letter, unless
 * the registry has a worker with the task.
 */
export class PutOff {
  readonly #options: PutOffOptions;
  /** By code and id, when a worker first met the job; the oldest entries are forgotten, and found in the job's log again. */
  readonly #met = new Map<string, number>();
  /** When the next of many such jobs is to come back. */
  #nextAt = 0;
  /** Up to where the time for looks into logs is used. */
  #looksAt = 0;

  constructor(options: PutOffOptions) {
    this.#options = options;
  }

  /**
   * `barrier`: why its payload does not open here; null where the task is unknown. Never rejects. While the store is away,
   * or thousands of them come, the job's time is not looked at.
   */
  async outcomeOf(lease: Lease, barrier: LongshoreError | null): Promise<Outcome> {
    const why = barrier ?? this.#taskUnknown(lease);
    let waitedMs = await this.#waitedMs(lease, why);
    if (this.#isOver(waitedMs)) {
      // It may have been redriven, or tried elsewhere, since.
      this.#met.delete(keyOf(lease, why));
      waitedMs = await this.#waitedMs(lease, why);
    }
    if (this.#isOver(waitedMs) && (barrier !== null || !(await this.#isKnownElsewhere(lease))))
      return { type: 'failed', error: this.#endOf(lease, why, waitedMs) };
    const delayMs = this.#delayMs(waitedMs);
    this.#tell(lease, barrier, delayMs);
    return { type: 'snoozed', delayMs, unstarted: true };
  }

  #tell(lease: Lease, barrier: LongshoreError | null, delayMs: number): void {
    const { events, workerId } = this.#options;
    const { attempt: _, ...job } = facts(lease);
    if (barrier === null) events.emit('task.unknown', { workerId, ...job, delayMs });
    else {
      const { code, message } = barrier;
      events.emit('payload.unopened', { workerId, ...job, code, message, delayMs });
    }
  }

  /** Since a worker first met it. */
  async #waitedMs(lease: Lease, why: LongshoreError): Promise<number> {
    const now = this.#options.clock.now();
    const metAt = this.#met.get(keyOf(lease, why)) ?? (await this.#readMetAt(lease, why, now));
    return Math.max(0, now - metAt);
  }

  async #readMetAt(lease: Lease, why: LongshoreError, now: number): Promise<number> {
    const { store, notes } = this.#options;
    if (!this.#mayLook(now)) return now;
    try {
      const trail = await store.trail(lease.id);
      const since = trail === null ? 0 : lastTriedAt(trail);
      const mark = `${why.code}: `;
      const line = trail?.logs.find(({ at, message }) => at >= since && message.startsWith(mark));
      if (line === undefined)
        notes.log(lease, `${mark}${why.message} It waits for a worker that can run it.`, undefined);
      this.#remember(keyOf(lease, why), line?.at ?? now);
      return line?.at ?? now;
    } catch {
      return now;
    }
  }

  /** A job that is passed over will come back. */
  #mayLook(now: number): boolean {
    const looksAt = Math.max(this.#looksAt, now - LOOKS_AT_ONCE * EACH_MS) + EACH_MS;
    if (looksAt > now) return false;
    this.#looksAt = looksAt;
    return true;
  }

  #remember(key: string, metAt: number): void {
    this.#met.set(key, metAt);
    const [oldest] = this.#met.keys();
    if (this.#met.size > MET_MAX && oldest !== undefined) this.#met.delete(oldest);
  }

  #isOver(waitedMs: number): boolean {
    const { unknownTaskMs } = this.#options;
    return unknownTaskMs > 0 && waitedMs >= unknownTaskMs;
  }

  /** By any worker of the queue in the registry, which also has those that died within the hour. */
  async #isKnownElsewhere({ queue, task }: Lease): Promise<boolean> {
    try {
      const workers = await this.#options.store.workers();
      return workers.some(({ tasks, queues }) => tasks.includes(task) && queues.includes(queue));
    } catch {
      return true;
    }
  }

  #delayMs(waitedMs: number): number {
    const { clock, random } = this.#options;
    const now = clock.now();
    this.#nextAt = Math.min(Math.max(this.#nextAt, now) + EACH_MS, now + MANY_MAX_MS);
    const grownMs = Math.min(Math.max(waitedMs * GROWTH, DELAY_MIN_MS), DELAY_MAX_MS);
    const spread = 1 - JITTER + 2 * JITTER * random();
    return Math.round(Math.max(grownMs, this.#nextAt - now) * spread);
  }

  #endOf(lease: Lease, why: LongshoreError, waitedMs: number): AttemptError {
    const { id, queue, task, attempt } = lease;
    const remedy =
      why.code === 'TASK_UNKNOWN'
        ? `Nor does any other that is known have it, and the job has waited for ${formatDuration(waitedMs)}. Give the task to a worker of queue ${show(queue)}, then redrive the job.`
        : `The job has waited for ${formatDuration(waitedMs)} for a worker that can open it. Redrive it once there is one.`;
    const details = { ...why.details, id, task, queue, waitedMs };
    const error = new LongshoreError(why.code, `${why.message} ${remedy}`, { details });
    return toAttemptError(error, attempt, this.#options.clock.now());
  }

  #taskUnknown({ task }: Lease): LongshoreError {
    const { tasks, workerId } = this.#options;
    const known = [...tasks.keys()].map(show).join(', ') || 'none';
    const message = `No task named ${show(task)} is registered in worker ${workerId} (it knows: ${known}).`;
    return new LongshoreError('TASK_UNKNOWN', message);
  }
}

function keyOf({ id }: Lease, { code }: LongshoreError): string {
  return `${code} ${id}`;
}

/** When an operator last started it anew, or a worker that could run it last failed. */
function lastTriedAt({ audit, errors }: JobTrail): number {
  const redriven = audit.findLast(({ action }) => action === 'redrive')?.at ?? 0;
  return Math.max(redriven, errors.at(-1)?.at ?? 0);
}

export interface PutOffOptions {
  readonly store: Store;
  readonly notes: NoteTaker;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly random: () => number;
  readonly workerId: string;
  /** Those it has. */
  readonly tasks: ReadonlyMap<string, unknown>;
  /** 0: no job ends for it. */
  readonly unknownTaskMs: number;
}

const MET_MAX = 10_000;
/** A job waits for a tenth of the time again that it has waited, but not longer than this. */
const GROWTH = 0.1;
const DELAY_MIN_MS = 1_000;
const DELAY_MAX_MS = 30_000;
const JITTER = 0.2;
/**
 * Where there are thousands, a hundred of them come back in a second, or each after five minutes, and as many are looked
 * into: they come before the younger jobs that this worker can run.
 */
const EACH_MS = 10;
const MANY_MAX_MS = 300_000;
const LOOKS_AT_ONCE = 100;
