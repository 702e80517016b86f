import { LongshoreError } from '../../core/errors.ts';
import { allows, isTerminal, type JobMove, type JobState } from '../../core/job-state.ts';
import { keyWindow, type QueueLimits, staysInLine } from '../../core/limits.ts';
import type { Topic } from '../notifier.ts';
import { Line } from './line.ts';
import { Plans } from './plan-rows.ts';
import {
  emptyQueue,
  type JobRow,
  type KeyHold,
  type QueueRow,
  type Turn,
  type WorkerRow,
} from './records.ts';
import { Terms } from './terms.ts';

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
  readonly plans = new Plans();
  readonly terms = new Terms();
  /** What the verb at work will hint at. */
  readonly topics = new Set<Topic>();
  lastToken = 0;
  #lastNumber = 0;
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

  add(fields: Omit<JobRow, 'seq' | 'ticket' | 'turn' | 'place' | 'gone'>): void {
    const seq = this.#nextNumber();
    const job: JobRow = { ...fields, seq, ticket: seq, turn: 'none', place: null, gone: false };
    job.turn = this.#turn(job);
    this.jobs.set(job.id, job);
    this.#bySeq.push(job);
    this.terms.add(job);
    this.#enter(job);
  }

  /** Takes a job to another state, as the transition table allows; `change` sets whatever else goes with it. */
  move(job: JobRow, move: JobMove, to: JobState, change: () => void): void {
    this.#requireMove(job, move, to);
    this.rearrange(job, move, () => {
      job.state = to;
      change();
    });
  }

  /** Changes fields its lines are ordered by. With a `move`, its turn follows; without, it stays as it is. */
  rearrange(job: JobRow, move: JobMove | null, change: () => void): void {
    const { queue, key, meta } = job;
    this.#leave(job);
    change();
    if (job.meta !== meta) {
      this.terms.remove(job, meta);
      this.terms.add(job);
    }
    if (job.queue !== queue || job.key !== key) Object.assign(job, { turn: 'none', ticket: job.seq });
    if (move !== null) job.turn = this.#turn(job, move);
    this.#enter(job);
    this.#admit(queue, key);
  }

  /** Makes a ready job wait until its key's rate has room. It stays in the line, so that no more of its key are put off. */
  putOff(job: JobRow, dueAt: number): void {
    this.#requireMove(job, 'reschedule', 'scheduled');
    this.rearrange(job, null, () => {
      job.state = 'scheduled';
      job.turn = 'later';
      job.dueAt = dueAt;
    });
  }

  /** Lets the line of every key be as long as the new limits say: the youngest go back, or more are let in. */
  setLimits(queue: QueueRow, limits: QueueLimits, now: number): void {
    queue.limits = limits;
    if (limits.rate === null) queue.starts = [];
    if (limits.perKey.rate === null) queue.keyStarts.clear();
    for (const key of [...queue.keys.keys()].sort()) {
      for (const job of this.#line(queue, key)) this.#reconsider(job, limits, now);
      const line = this.#line(queue, key);
      const waiting = line.filter(({ state }) => state === 'ready').sort(youngestFirst);
      const surplus = Math.max(0, line.length - keyWindow(limits));
      for (const job of waiting.slice(0, surplus)) this.#setTurn(job, 'held');
      this.#admit(queue.name, key);
    }
  }

  /** All of them before the next of their keys are let in. */
  remove(jobs: readonly JobRow[]): void {
    for (const job of jobs) this.#remove(job);
    for (const name of new Set(jobs.map(({ queue }) => queue)))
      for (const key of [...new Set(jobs.map((job) => (job.queue === name ? job.key : null)))].sort())
        this.#admit(name, key);
  }

  #remove(job: JobRow): void {
    this.#leave(job);
    job.gone = true;
    this.jobs.delete(job.id);
    this.terms.remove(job, job.meta);
    this.#removed += 1;
    if (this.#removed > 64 && this.#removed > this.#bySeq.length / 2) {
      this.#bySeq = this.#bySeq.filter((kept) => !kept.gone);
      this.#removed = 0;
    }
  }

  #requireMove(job: JobRow, move: JobMove, to: JobState): void {
    if (!allows(job.state, move, to)) {
      throw new LongshoreError(
        'JOB_STATE_REFUSED',
        `Job ${job.id} is ${job.state}; '${move}' to ${to} is refused.`,
      );
    }
  }

  /** Jobs and turns are numbered by one sequence, so that who is let in stands behind all that came before. */
  #nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  /** The turn of a job that came to its state by `move`, or was added. It stands in no line now. */
  #turn(job: JobRow, move: JobMove | null = null): Turn {
    if (job.key === null) return 'line';
    const { limits, keys } = this.queue(job.queue);
    if (move !== null && inLine(job) && staysInLine(move, job.state, limits)) return 'line';
    if (job.state !== 'ready') return 'none';
    return (keys.get(job.key)?.line.size ?? 0) < keyWindow(limits) ? 'line' : 'held';
  }

  /** Lets the next jobs of a key in, to the end of the line. */
  #admit(name: string, key: string | null): void {
    if (key === null) return;
    const queue = this.queue(name);
    const row = queue.keys.get(key);
    // When its only job is let in, the row is replaced, and the old one holds nobody.
    while (row !== undefined && row.line.size < keyWindow(queue.limits) && row.held.head !== undefined) {
      const job = row.held.head;
      this.#setTurn(job, 'line', this.#nextNumber());
      this.topics.add('ready');
    }
  }

  #line(queue: QueueRow, key: string): JobRow[] {
    return [...(queue.keys.get(key)?.line ?? [])];
  }

  #setTurn(job: JobRow, turn: Turn, ticket = job.ticket): void {
    this.#leave(job);
    Object.assign(job, { turn, ticket });
    this.#enter(job);
  }

  /** What other limits mean for a job in the line that waits for a time. */
  #reconsider(job: JobRow, limits: QueueLimits, now: number): void {
    if (job.state !== 'scheduled') return;
    this.#leave(job);
    if (job.turn === 'later') Object.assign(job, { state: 'ready', turn: 'line', dueAt: now });
    else if (!limits.perKey.ordered) job.turn = 'none';
    this.#enter(job);
  }

  #enter(job: JobRow): void {
    const queue = this.queue(job.queue);
    queue.counts[job.state] += 1;
    if (job.key !== null) this.#enterKey(queue, job, job.key);
    if (job.state === 'ready' && job.turn === 'line') queue.ready.add(job, job.priority, job.ticket);
    else if (job.state === 'scheduled') queue.scheduled.add(job, job.dueAt, job.seq);
    else if (job.state === 'running') this.#holder(job).add(job);
    else if (isTerminal(job.state)) queue.finished[job.state].add(job, job.finishedAt ?? 0, job.seq);
  }

  #leave(job: JobRow): void {
    const queue = this.queue(job.queue);
    queue.counts[job.state] -= 1;
    if (job.key !== null) this.#leaveKey(queue, job, job.key);
    if (job.state === 'ready' && job.turn === 'line') queue.ready.remove(job);
    else if (job.state === 'scheduled') queue.scheduled.remove(job);
    else if (job.state === 'running') this.#letGo(job);
    else if (isTerminal(job.state)) queue.finished[job.state].remove(job);
  }

  #enterKey(queue: QueueRow, job: JobRow, key: string): void {
    if (job.turn === 'none') return;
    const row = queue.keys.get(key) ?? { line: new Set(), held: new Line() };
    queue.keys.set(key, row);
    if (job.turn === 'held') row.held.add(job, job.priority, job.seq);
    else row.line.add(job);
  }

  #leaveKey(queue: QueueRow, job: JobRow, key: string): void {
    const row = queue.keys.get(key);
    if (row === undefined || job.turn === 'none') return;
    if (job.turn === 'held') row.held.remove(job);
    else row.line.delete(job);
    if (row.line.size === 0 && row.held.size === 0) queue.keys.delete(key);
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

function inLine({ turn }: JobRow): boolean {
  return turn === 'line' || turn === 'later';
}

function youngestFirst(one: JobRow, other: JobRow): number {
  return other.priority - one.priority || other.seq - one.seq;
}
