import { type AttemptError, LongshoreError } from '../../core/errors.ts';
import type { AuditEntry, Job, LogLine } from '../../core/job.ts';
import { allows, isTerminal, type JobMove, type JobState, type TerminalState } from '../../core/job-state.ts';
import type { Topic } from '../notifier.ts';
import { type Keep, RETENTION_DEFAULT, type Retention, type WorkerInfo, type WorkerLoad } from '../store.ts';
import { Line, type Place } from './line.ts';

/**
 * What a memory store holds, and the one place where a row changes its state: every line, count and set that
 * depends on the state is kept true here, so the verbs only decide. Nothing here asks for the time.
 */
export class Rows {
  readonly jobs = new Map<string, JobRow>();
  readonly queues = new Map<string, QueueRow>();
  readonly keys = new Map<string, KeyHold>();
  readonly workers = new Map<string, WorkerRow>();
  /** Running jobs by the worker that holds them. */
  readonly held = new Map<string, Set<JobRow>>();
  /** What the verb at work will hint at. */
  readonly topics = new Set<Topic>();
  lastToken = 0;
  #lastSeq = 0;
  #bySeq: JobRow[] = [];
  #removed = 0;

  /** All jobs by ascending seq, removed ones among them (their `gone` is true). */
  get bySeq(): readonly JobRow[] {
    return this.#bySeq;
  }

  queue(name: string): QueueRow {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = emptyQueue(name);
      this.queues.set(name, queue);
    }
    return queue;
  }

  add(fields: Omit<JobRow, 'seq' | 'place' | 'gone'>): void {
    this.#lastSeq += 1;
    const job: JobRow = { ...fields, seq: this.#lastSeq, place: null, gone: false };
    this.jobs.set(job.id, job);
    this.#bySeq.push(job);
    this.#enter(job);
  }

  /** Takes a job to another state, as the transition table allows; `change` sets whatever else goes with it. */
  move(job: JobRow, move: JobMove, to: JobState, change: () => void): void {
    if (!allows(job.state, move, to)) {
      throw new LongshoreError(
        'JOB_STATE_REFUSED',
        `Job ${job.id} is ${job.state}; '${move}' to ${to} is refused.`,
      );
    }
    this.rearrange(job, () => {
      job.state = to;
      change();
    });
  }

  /** Changes fields its lines are ordered by. */
  rearrange(job: JobRow, change: () => void): void {
    this.#leave(job);
    change();
    this.#enter(job);
  }

  remove(job: JobRow): void {
    this.#leave(job);
    job.gone = true;
    this.jobs.delete(job.id);
    this.#removed += 1;
    if (this.#removed > 64 && this.#removed > this.#bySeq.length / 2) {
      this.#bySeq = this.#bySeq.filter((kept) => !kept.gone);
      this.#removed = 0;
    }
  }

  #enter(job: JobRow): void {
    const queue = this.queue(job.queue);
    queue.counts[job.state] += 1;
    if (job.state === 'ready') queue.ready.add(job, job.priority, job.seq);
    else if (job.state === 'scheduled') queue.scheduled.add(job, job.dueAt, job.seq);
    else if (job.state === 'running') this.#holder(job).add(job);
    else if (isTerminal(job.state)) queue.finished[job.state].add(job, job.finishedAt ?? 0, job.seq);
  }

  #leave(job: JobRow): void {
    const queue = this.queue(job.queue);
    queue.counts[job.state] -= 1;
    if (job.state === 'ready') queue.ready.remove(job);
    else if (job.state === 'scheduled') queue.scheduled.remove(job);
    else if (job.state === 'running') this.#letGo(job);
    else if (isTerminal(job.state)) queue.finished[job.state].remove(job);
  }

  #holder(job: JobRow): Set<JobRow> {
    const workerId = job.workerId ?? '';
    const held = this.held.get(workerId) ?? new Set();
    this.held.set(workerId, held);
    return held;
  }

  #letGo(job: JobRow): void {
    const held = this.#holder(job);
    held.delete(job);
    if (held.size === 0) this.held.delete(job.workerId ?? '');
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A job with all that belongs to it. Never leaves the store: `toJob` copies. */
export interface JobRow extends Mutable<Job> {
  /** Of the current lease; null unless running. */
  token: string | null;
  readonly errors: AttemptError[];
  readonly logs: LogLine[];
  readonly audit: AuditEntry[];
  place: Place<JobRow> | null;
  gone: boolean;
}

export interface QueueRow {
  readonly name: string;
  configured: boolean;
  pausedAt: number | null;
  retention: Retention;
  readonly counts: Record<JobState, number>;
  readonly ready: Line<JobRow>;
  readonly scheduled: Line<JobRow>;
  readonly finished: Readonly<Record<TerminalState, Line<JobRow>>>;
}

/** Who holds a unique key. It outlives its job until `untilAt`; `state` is the job's last, should the job be gone. */
export interface KeyHold {
  readonly id: string;
  untilAt: number;
  state: JobState;
}

export interface WorkerRow {
  readonly info: WorkerInfo;
  readonly load: WorkerLoad;
  readonly leaseMs: number;
  readonly seenAt: number;
}

export function toJob(row: JobRow): Job {
  const {
    token: _token,
    errors: _errors,
    logs: _logs,
    audit: _audit,
    place: _place,
    gone: _gone,
    ...job
  } = row;
  return job;
}

export function keepsNothing(keep: Keep): boolean {
  return keep.ageMs === 0 || keep.count === 0;
}

function emptyQueue(name: string): QueueRow {
  return {
    name,
    configured: false,
    pausedAt: null,
    retention: RETENTION_DEFAULT,
    counts: { blocked: 0, scheduled: 0, ready: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
    ready: new Line(),
    scheduled: new Line(),
    finished: { completed: new Line(), failed: new Line(), cancelled: new Line() },
  };
}
