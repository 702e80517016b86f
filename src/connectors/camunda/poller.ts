import type { CancelTimer, Clock } from '../../core/clock.ts';
import { LongshoreError } from '../../core/errors.ts';
import { Backoff } from '../backoff.ts';
import type { Rest } from '../http/rest.ts';
import type { Trouble } from '../http/trouble.ts';
import { isBackpressure } from './dialect.ts';
import { type CamundaJob, jobsIn } from './job.ts';

/** One job type, and what of it is known. */
export interface Polled {
  readonly type: string;
  readonly lockMs: number;
  readonly variables: readonly string[] | undefined;
  /** Jobs that could start now. */
  room(): number;
}

interface PollerOptions {
  readonly rest: Rest;
  readonly clock: Clock;
  readonly types: readonly Polled[];
  /** Jobs of any type that could start now. */
  readonly room: () => number;
  /** Slots. */
  readonly limit: () => number;
  readonly worker: string;
  readonly pollMs: number;
  readonly tenantIds: readonly string[] | null;
  readonly leases: boolean;
  readonly trouble: Trouble;
  readonly onJobs: (type: string, jobs: readonly CamundaJob[]) => void;
  /** A poll ended without an answer. */
  readonly onLost: (error: unknown) => void;
}

/** A type that has no jobs is asked about for one, and waits; a type that has jobs is asked for as many as there is room for. */
interface Line extends Polled {
  /** Jobs that its open poll may bring. */
  asked: number;
  busy: boolean;
  /** Not asked before. */
  notBefore: number;
}

/** With a negative `pollMs`, a type without jobs is asked about so often. */
const IDLE_MS = 1_000;
/** Polls wait so long at most where types take turns, as there are more of them than slots. */
const TURN_MS = 250;
/** The cluster's own wait when it is asked for 0. */
const SERVERS_POLL_MS = 10_000;

/**
 * Asks the cluster for jobs: one poll for each type at most, and all together never for more jobs than could start. After
 * backpressure it asks later and for fewer, and for more again with each answer.
 */
export class Poller {
  readonly #options: PollerOptions;
  readonly #lines: Line[];
  readonly #open = new Set<Promise<void>>();
  #running = false;
  readonly #backoff = new Backoff(RETRY_MAX_MS);
  #askMax = Number.POSITIVE_INFINITY;
  #notBefore = 0;
  #timer: CancelTimer | null = null;
  /** Types are served in turn. */
  #next = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#lines = options.types.map((type) => ({ ...type, asked: 0, busy: true, notBefore: 0 }));
  }

  get running(): boolean {
    return this.#running;
  }

  /** Polls that are open at the cluster. */
  get open(): number {
    return this.#open.size;
  }

  start(): void {
    this.#running = true;
    this.pump();
  }

  /** Asks no more. Resolves when the open polls have their answers: what they bring is still handed over. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.();
    this.#timer = null;
    await Promise.all(this.#open);
  }

  /** There may be room. */
  pump(): void {
    if (!this.#running) return;
    const now = this.#options.clock.now();
    if (now < this.#notBefore) {
      this.#pumpAt(this.#notBefore);
      return;
    }
    let room = this.#options.room() - this.#lines.reduce((sum, { asked }) => sum + asked, 0);
    const lines = this.#inTurn().filter(({ asked }) => asked === 0);
    for (const [index, line] of lines.entries()) {
      if (line.notBefore > now) {
        this.#pumpAt(line.notBefore);
        continue;
      }
      // One for each type behind this one.
      const share =
        line.busy || this.#lines.length === 1 ? Math.max(1, room - (lines.length - index - 1)) : 1;
      const ask = Math.min(share, line.room(), room, this.#askMax);
      if (ask < 1) continue;
      room -= ask;
      this.#poll(line, ask);
    }
  }

  /** Lines from the one whose turn it is. */
  #inTurn(): Line[] {
    const first = this.#next % this.#lines.length;
    return [...this.#lines.slice(first), ...this.#lines.slice(0, first)];
  }

  #poll(line: Line, ask: number): void {
    line.asked = ask;
    this.#next = this.#lines.indexOf(line) + 1;
    const poll = this.#ask(line, ask)
      .catch((error: unknown) => this.#failed(error, null))
      .finally(() => {
        line.asked = 0;
        this.#open.delete(poll);
        this.pump();
      });
    this.#open.add(poll);
  }

  async #ask(line: Line, ask: number): Promise<void> {
    const { rest, worker, tenantIds, leases, clock, trouble, onJobs, onLost } = this.#options;
    const { type, lockMs, variables } = line;
    const requestTimeout = this.#waitOf(line);
    const body = {
      type,
      worker,
      timeout: lockMs,
      maxJobsToActivate: ask,
      requestTimeout,
      ...(variables === undefined ? {} : { fetchVariable: variables }),
      ...(tenantIds === null ? {} : { tenantIds }),
      ...(leases ? { withLease: true } : {}),
    };
    const waitMs = requestTimeout === 0 ? SERVERS_POLL_MS : Math.max(0, requestTimeout);
    const answer = await rest.ask('POST', '/jobs/activation', { body, waitMs }).catch((error: unknown) => {
      if (mayHaveArrived(error)) onLost(error);
      throw error;
    });
    if (!answer.ok) {
      if (isBackpressure(answer.refusal))
        this.#askMax = Math.max(1, Math.floor(Math.min(ask, this.#askMax) / 2));
      // No job is meant: it is the path that is not found.
      const meaning = answer.refusal.status === 404 ? 'refused' : undefined;
      const fault = rest.refused('POST /jobs/activation', answer.refusal, meaning);
      this.#failed(fault, answer.refusal.retryAfterMs);
      return;
    }
    const jobs = jobsIn(answer.body);
    if (jobs === null) throw notCamunda(rest.address);
    trouble.worked();
    this.#backoff.reset();
    if (this.#askMax !== Number.POSITIVE_INFINITY) this.#askMax = raised(this.#askMax);
    line.busy = jobs.length > 0;
    if (jobs.length > 0) onJobs(type, jobs);
    else if (this.#options.pollMs < 0) line.notBefore = clock.now() + IDLE_MS;
  }

  /** How long a poll of this line is to wait at the cluster. */
  #waitOf(line: Line): number {
    const { pollMs, limit } = this.#options;
    const { length } = this.#lines;
    if (length === 1) return pollMs;
    // One that asks for all there is must not keep it from the others while it waits.
    if (line.busy) return -1;
    return length > limit() ? Math.min(pollMs === 0 ? TURN_MS : pollMs, TURN_MS) : pollMs;
  }

  #failed(error: unknown, retryAfterMs: number | null): void {
    const waitMs = this.#backoff.next(retryAfterMs);
    this.#notBefore = this.#options.clock.now() + waitMs;
    if (this.#running) this.#options.trouble.failed(error, waitMs);
  }

  #pumpAt(at: number): void {
    if (this.#timer !== null) return;
    const { clock } = this.#options;
    this.#timer = clock.after(at - clock.now(), () => {
      this.#timer = null;
      this.pump();
    });
  }
}

/** After backpressure: half as much again with each answer, until it is no limit any more. */
function raised(askMax: number): number {
  const more = Math.ceil(askMax * 1.5);
  return more > ASK_MAX ? Number.POSITIVE_INFINITY : more;
}

const ASK_MAX = 1_000;
const RETRY_MAX_MS = 5_000;

/** Whether the cluster may have had the request. */
function mayHaveArrived(error: unknown): boolean {
  const { reason } = error instanceof LongshoreError ? error.details : {};
  return reason === 'ECONNRESET' || reason === 'TIMED_OUT';
}

function notCamunda(address: string): LongshoreError {
  return new LongshoreError(
    'ENGINE_UNSUPPORTED',
    `What answers at ${address} is not Camunda 8: an activation brings no list of jobs. Check CAMUNDA_REST_ADDRESS.`,
    { details: { address } },
  );
}
