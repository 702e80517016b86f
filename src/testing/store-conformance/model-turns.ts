import type { JobMove, JobState } from '../../core/job-state.ts';
import {
  changeLimits,
  keyWindow,
  LIMITS_NONE,
  type LimitsChange,
  type QueueLimits,
  type Rate,
  rateRoom,
  rateTake,
  type StartLog,
  staysInLine,
} from '../../core/limits.ts';

export interface ModelJob {
  readonly id: string;
  readonly queue: string;
  readonly attemptsMax: number;
  state: JobState;
  priority: number;
  attempt: number;
  crashes: number;
  dueAt: number;
  finishedAt: number | null;
  result: string | null;
  cancelRequested: boolean;
  workerId: string | null;
  leaseExpiresAt: number | null;
  token: string | null;
  /** How many are kept. */
  errors: number;
  readonly key: string | null;
  readonly meta: string | null;
  held: boolean;
  /** `later`: in the line, put off by its key's rate. */
  turn: 'line' | 'later' | 'held' | 'none';
  /** Place in the line. */
  ticket: number;
}

/** The limits and turns of the model: every question is answered by searching the list of all jobs. */
export class ModelTurns {
  readonly #jobs: () => readonly ModelJob[];
  readonly #limits = new Map<string, QueueLimits>();
  /** By queue, and by queue and key. */
  readonly #starts = new Map<string, StartLog>();
  #numbers = 0;

  constructor(jobs: () => readonly ModelJob[]) {
    this.#jobs = jobs;
  }

  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** When ready jobs wait for the queue's rate: the time it has room again. */
  roomAgainAt(queue: string, now: number): number[] {
    const { rate } = this.#limitsOf(queue);
    if (rate === null || this.#line(queue).length === 0) return [];
    const { room, nextAt } = rateRoom(this.#starts.get(queue) ?? [], rate, now);
    return room === 0 ? [nextAt] : [];
  }

  #line(queue: string): ModelJob[] {
    return this.#jobs()
      .filter((job) => job.queue === queue && job.state === 'ready' && !job.held)
      .sort((one, other) => one.priority - other.priority || one.ticket - other.ticket);
  }

  /** Those a claim may take from a queue, one by one. */
  choose(queue: string, limit: number, now: number): ModelJob[] {
    const { concurrency, rate, perKey } = this.#limitsOf(queue);
    const running = this.#jobs().filter((job) => job.queue === queue && job.state === 'running').length;
    const chosen: ModelJob[] = [];
    for (const job of this.#line(queue)) {
      if (chosen.length >= limit) break;
      if (concurrency !== null && running + chosen.length >= concurrency) break;
      if (rate !== null && rateRoom(this.#starts.get(queue) ?? [], rate, now).room === 0) break;
      const name = `${queue} ${job.key}`;
      if (job.key !== null && perKey.rate !== null) {
        const { room, nextAt } = rateRoom(this.#starts.get(name) ?? [], perKey.rate, now);
        if (room === 0) {
          Object.assign(job, { state: 'scheduled', turn: 'later', dueAt: nextAt });
          continue;
        }
        this.#start(name, perKey.rate, now);
      }
      if (rate !== null) this.#start(queue, rate, now);
      chosen.push(job);
    }
    return chosen;
  }

  #start(name: string, rate: Rate, now: number): void {
    this.#starts.set(name, rateTake(this.#starts.get(name) ?? [], rate, now, 1));
  }

  #limitsOf(queue: string): QueueLimits {
    return this.#limits.get(queue) ?? LIMITS_NONE;
  }

  limit(queue: string, change: LimitsChange, now: number): QueueLimits {
    const limits = changeLimits(this.#limitsOf(queue), change);
    this.#limits.set(queue, limits);
    if (limits.rate === null) this.#starts.delete(queue);
    if (limits.perKey.rate === null)
      for (const name of this.#starts.keys()) if (name.startsWith(`${queue} `)) this.#starts.delete(name);
    const keyed = this.#jobs().filter((job) => job.queue === queue && job.key !== null);
    for (const job of keyed) {
      if (job.turn === 'later') Object.assign(job, { state: 'ready', turn: 'line', dueAt: now });
      else if (job.state === 'scheduled' && !limits.perKey.ordered) job.turn = 'none';
    }
    const youngest = keyed
      .filter((job) => job.state === 'ready' && job.turn === 'line')
      .sort((one, other) => other.priority - one.priority || this.#age(other) - this.#age(one));
    for (const job of youngest)
      if (this.#lineOf(job).length > keyWindow(limits)) Object.assign(job, { turn: 'held', held: true });
    this.admit();
    return limits;
  }

  #age(job: ModelJob): number {
    return this.#jobs().indexOf(job);
  }

  /** The jobs of the same key that are in the line. */
  #lineOf({ queue, key }: ModelJob): ModelJob[] {
    return this.#jobs().filter(
      (job) => job.queue === queue && job.key === key && (job.turn === 'line' || job.turn === 'later'),
    );
  }

  take(job: ModelJob, move: JobMove | null): void {
    job.held = false;
    if (job.key === null) return;
    const limits = this.#limitsOf(job.queue);
    const stays = job.turn !== 'held' && job.turn !== 'none' && move !== null;
    if (stays && staysInLine(move, job.state, limits)) {
      job.turn = 'line';
    } else {
      job.turn = 'none';
      const room = keyWindow(limits) - this.#lineOf(job).length;
      if (job.state === 'ready') job.turn = room > 0 ? 'line' : 'held';
    }
    job.held = job.turn === 'held';
    this.admit();
  }

  /** Lets in whoever may come in, key by key. */
  admit(): void {
    const waiting = this.#jobs()
      .filter(({ held }) => held)
      .sort((one, other) => one.priority - other.priority)
      .sort((one, other) => ((one.key ?? '') < (other.key ?? '') ? -1 : one.key === other.key ? 0 : 1));
    for (const job of waiting)
      if (this.#lineOf(job).length < keyWindow(this.#limitsOf(job.queue)))
        Object.assign(job, { turn: 'line', held: false, ticket: this.nextNumber() });
  }
}
