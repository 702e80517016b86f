import assert from 'node:assert/strict';
import { allows, isTerminal, type JobMove, type JobState, TRANSITIONS } from '../../core/job-state.ts';
import type { LimitsChange, QueueLimits } from '../../core/limits.ts';
import type { Outcome } from '../../core/outcome.ts';
import { expire, type JobChange, settle } from '../../core/settle-rule.ts';
import type {
  ClaimRequest,
  ControlReceipt,
  EnqueueReceipt,
  JobCommand,
  JobSpec,
  SettleReceipt,
} from '../../store/store.ts';
import { type ModelJob, ModelTurns } from './model-turns.ts';

interface ModelLease {
  readonly id: string;
  readonly token: string;
}

const MOVES = {
  completed: 'complete',
  retried: 'retry',
  failed: 'fail',
  cancelled: 'cancel',
  snoozed: 'snooze',
  released: 'release',
} as const satisfies Record<Outcome['type'], JobMove>;

/** The contract in the plainest words: a list of jobs in order of their enqueue, searched from end to end. */
export class Model {
  jobs: ModelJob[] = [];
  /** Every lease ever given. */
  readonly leases: ModelLease[] = [];
  /** Jobs that left a terminal state by an operator's action since this was last emptied. */
  readonly reopened = new Set<string>();
  readonly #paused = new Set<string>();
  readonly #turns = new ModelTurns(() => this.jobs);
  readonly #names = new Map<string, string>();

  nameOf(id: string): string {
    return this.#names.get(id) ?? '?';
  }

  anyJob(index: number): ModelJob | undefined {
    return this.jobs[index % Math.max(1, this.jobs.length)];
  }

  enqueue(specs: readonly JobSpec[], now: number): EnqueueReceipt[] {
    return specs.map(({ id, queue, key, meta = null, priority, attemptsMax, delayMs }) => {
      const state = delayMs > 0 ? 'scheduled' : 'ready';
      const ended = { finishedAt: null, result: null, cancelRequested: false, errors: 0 };
      const lease = { workerId: null, leaseExpiresAt: null, token: null };
      const dueAt = now + delayMs;
      this.#names.set(id, `job${this.#names.size + 1}`);
      const job: ModelJob = {
        id,
        queue,
        attemptsMax,
        state,
        priority,
        attempt: 0,
        crashes: 0,
        dueAt,
        key,
        meta,
        held: false,
        turn: key === null ? 'line' : 'none',
        ticket: this.#turns.nextNumber(),
        ...ended,
        ...lease,
      };
      this.jobs.push(job);
      this.#turns.take(job, null);
      return { status: 'created', id, state };
    });
  }

  /** Tokens are the store's to choose; all else is foretold. */
  claim(request: ClaimRequest, now: number, tokens: readonly string[]) {
    const open = request.queues.filter((queue) => !this.#paused.has(queue));
    const dueJobs = this.jobs.filter((job) => open.includes(job.queue) && job.state === 'scheduled');
    for (const job of dueJobs.sort((one, other) => one.dueAt - other.dueAt))
      if (job.dueAt <= now) this.#move(job, 'promote', 'ready');
    const chosen: ModelJob[] = [];
    for (const queue of open) chosen.push(...this.#turns.choose(queue, request.limit - chosen.length, now));
    const leases = chosen.map((job, index) => {
      const token = tokens[index] ?? '';
      assert.ok(
        !this.leases.some((lease) => lease.token === token && lease.id === job.id),
        'a token was given twice',
      );
      this.#move(job, 'claim', 'running');
      const leaseExpiresAt = now + request.leaseMs;
      Object.assign(job, { token, attempt: job.attempt + 1, workerId: request.workerId, leaseExpiresAt });
      this.leases.push({ id: job.id, token });
      return { id: job.id, attempt: job.attempt, crashes: job.crashes, meta: job.meta };
    });
    const due = this.jobs
      .filter((job) => open.includes(job.queue) && job.state === 'scheduled')
      .map((job) => job.dueAt);
    for (const queue of open) due.push(...this.#turns.roomAgainAt(queue, now));
    return { leases, nextDueAt: due.length === 0 ? null : Math.min(...due) };
  }

  limit(queue: string, change: LimitsChange, now: number): QueueLimits {
    return this.#turns.limit(queue, change, now);
  }

  settle({ id, token }: ModelLease, outcome: Outcome, now: number): SettleReceipt {
    const job = this.jobs.find((one) => one.id === id && one.token === token);
    if (job === undefined) return { status: 'lost' };
    this.#apply(job, MOVES[outcome.type], settle(job, outcome, now));
    return { status: 'settled', state: job.state };
  }

  reap(now: number, crashesMax: number) {
    const expired = this.jobs.filter(
      ({ leaseExpiresAt }) => leaseExpiresAt !== null && leaseExpiresAt <= now,
    );
    for (const job of expired) this.#apply(job, 'expire', expire(job, now, crashesMax));
    return expired.map(({ id, state, crashes }) => ({ id, state, crashes }));
  }

  beat(workerId: string, now: number, leaseMs: number) {
    const held = this.jobs.filter((job) => job.workerId === workerId);
    for (const job of held) job.leaseExpiresAt = now + leaseMs;
    const cancelled = held.filter((job) => job.cancelRequested);
    return { held: held.map(({ id }) => id).sort(), cancelled: cancelled.map(({ id }) => id).sort() };
  }

  retire(workerId: string, now: number): void {
    for (const job of this.jobs.filter((one) => one.workerId === workerId))
      this.#apply(job, 'release', settle(job, { type: 'released' }, now));
  }

  pause(queue: string, paused: boolean): void {
    if (paused) this.#paused.add(queue);
    else this.#paused.delete(queue);
  }

  clear(queue: string, states: readonly JobState[]): number {
    const kept = this.jobs.filter((job) => job.queue !== queue || !states.includes(job.state));
    const count = this.jobs.length - kept.length;
    this.jobs = kept;
    this.#turns.admit();
    return count;
  }

  control(command: JobCommand, now: number): ControlReceipt {
    const job = this.jobs.find(({ id }) => id === command.id);
    if (job === undefined) return { status: 'unknown', state: null };
    const refused = { status: 'refused', state: job.state } as const;
    switch (command.type) {
      case 'remove':
        if (job.state === 'running') return refused;
        this.jobs = this.jobs.filter((one) => one !== job);
        this.#turns.admit();
        return { status: 'done', state: null };
      case 'reprioritize':
        if (job.state === 'running' || isTerminal(job.state)) return refused;
        job.priority = command.priority;
        return { status: 'done', state: job.state };
      case 'edit':
        return job.state === 'running' || isTerminal(job.state)
          ? refused
          : { status: 'done', state: job.state };
      default:
        if (TRANSITIONS[job.state][command.type] === undefined) return refused;
        return this.#operate(job, command, now);
    }
  }

  #operate(job: ModelJob, command: JobCommand, now: number): ControlReceipt {
    if (command.type === 'cancel') {
      job.cancelRequested = true;
      if (job.state === 'running') return { status: 'requested', state: 'running' };
      this.#move(job, 'cancel', 'cancelled');
      job.finishedAt = now;
    } else if (command.type === 'reschedule') {
      this.#move(job, 'reschedule', command.dueAt > now ? 'scheduled' : 'ready');
      job.dueAt = Math.max(now, command.dueAt);
    } else if (command.type === 'redrive') {
      this.reopened.add(job.id);
      this.#move(job, 'redrive', 'ready');
      Object.assign(job, { attempt: 0, crashes: 0, dueAt: now, finishedAt: null, cancelRequested: false });
    } else if (command.type === 'resolve') {
      this.reopened.add(job.id);
      this.#move(job, 'resolve', 'completed');
      Object.assign(job, { finishedAt: now, result: command.result });
    }
    return { status: 'done', state: job.state };
  }

  #apply(job: ModelJob, move: JobMove, change: JobChange): void {
    this.#move(job, move, change.state);
    const { error, ...fields } = change;
    Object.assign(job, fields, { token: null, workerId: null, leaseExpiresAt: null });
    if (error !== undefined) job.errors += 1;
  }

  #move(job: ModelJob, move: JobMove, to: JobState): void {
    assert.ok(allows(job.state, move, to), `${job.state} --${move}--> ${to} is in the table`);
    job.state = to;
    this.#turns.take(job, move);
  }
}
