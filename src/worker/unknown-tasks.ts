import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { LongshoreError, show, toAttemptError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Lease, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { NoteTaker } from './attempt.ts';

/**
 * What becomes of jobs whose task this worker does not have: another worker may have it, so they go back uncharged, for a
 * time that grows with how long they have waited. The worker that meets one first says so in the job's log, and from then
 * on its time runs: after `unknownTaskMs` the job is a dead letter, unless the registry has a worker with the task.
 */
export class UnknownTasks {
  readonly #options: UnknownTasksOptions;
  /** By id, when a worker first met the job; the oldest entries are forgotten, and found in the job's log again. */
  readonly #met = new Map<string, number>();
  /** When the next of many such jobs is to come back. */
  #nextAt = 0;
  /** Up to where the time for looks into logs is used. */
  #looksAt = 0;

  constructor(options: UnknownTasksOptions) {
    this.#options = options;
  }

  /** Never rejects. While the store is away, or thousands of them come, the job's time is not looked at. */
  async outcomeOf(lease: Lease): Promise<Outcome> {
    const { clock, events, workerId } = this.#options;
    let waitedMs = await this.#waitedMs(lease);
    if (this.#isOver(waitedMs)) {
      // It may have been redriven since.
      this.#met.delete(lease.id);
      waitedMs = await this.#waitedMs(lease);
    }
    if (this.#isOver(waitedMs) && !(await this.#isKnownElsewhere(lease))) {
      const error = toAttemptError(this.#unknownFor(lease, waitedMs), lease.attempt, clock.now());
      return { type: 'failed', error };
    }
    const delayMs = this.#delayMs(waitedMs);
    const { id, queue, task } = lease;
    events.emit('task.unknown', { workerId, id, queue, task, delayMs });
    return { type: 'snoozed', delayMs };
  }

  /** Since a worker first met it. */
  async #waitedMs(lease: Lease): Promise<number> {
    const now = this.#options.clock.now();
    const metAt = this.#met.get(lease.id) ?? (await this.#readMetAt(lease, now));
    return Math.max(0, now - metAt);
  }

  async #readMetAt(lease: Lease, now: number): Promise<number> {
    const { store, notes } = this.#options;
    if (!this.#mayLook(now)) return now;
    try {
      const trail = await store.trail(lease.id);
      const redrivenAt = trail?.audit.findLast(({ action }) => action === 'redrive')?.at ?? 0;
      const line = trail?.logs.find(({ at, message }) => at >= redrivenAt && message.startsWith(MARK));
      if (line === undefined)
        notes.log(lease, `${MARK}${this.#which(lease)} It waits for a worker that has it.`, undefined);
      this.#remember(lease.id, line?.at ?? now);
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

  #remember(id: string, metAt: number): void {
    this.#met.set(id, metAt);
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

  #unknownFor(lease: Lease, waitedMs: number): LongshoreError {
    const { id, queue, task } = lease;
    const message = `${this.#which(lease)} Nor does any other that is known have it, and the job has waited for ${formatDuration(waitedMs)}. Give the task to a worker of queue ${show(queue)}, then redrive the job.`;
    return new LongshoreError('TASK_UNKNOWN', message, { details: { id, task, queue, waitedMs } });
  }

  #which({ task }: Lease): string {
    const { tasks, workerId } = this.#options;
    const known = [...tasks.keys()].map(show).join(', ') || 'none';
    return `No task named ${show(task)} is registered in worker ${workerId} (it knows: ${known}).`;
  }
}

export interface UnknownTasksOptions {
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

/** Begins the line in a job's log by which all workers know when it was first met. */
const MARK = 'TASK_UNKNOWN: ';
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
