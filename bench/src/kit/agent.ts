import { Durations } from '../histogram.ts';
import { makeInputs } from '../inputs.ts';
import { monotonicMs, pace, systemPacerClock } from '../pacer.ts';
import { type Parent, program } from '../program.ts';
import { handlerOf } from './handlers.ts';
import { followHosted, keepHosted } from './hosted.ts';
import { type ProcessUse, watchProcess } from './process-use.ts';
import type { AgentSettings, JobInput, System } from './system.ts';

/**
 * The child's side of the kit: one process with one system, which does what its parent tells it to (team.ts): send jobs, work
 * them off, count. `elsewhere`: handlers do their work in other processes, and tell. Everything that is timed is timed here, on the machine's monotonic clock, the same for every system.
 */
export function agent(open: (settings: AgentSettings) => System, { elsewhere = false } = {}): void {
  program<AgentSettings, null>(async (settings, parent) => {
    const isHosted = settings.strategy !== 'async';
    if (isHosted) keepHosted(settings);
    const system = open(settings);
    const agent = new Agent(system, elsewhere || isHosted ? { ...settings, handler: 'none' } : settings);
    for (const name of CALLS) void serve(parent, name, agent);
    await parent.told('end');
    await system.close();
    return null;
  });
}

/** Methods that the parent may call. */
const CALLS = [
  'prepare',
  'fill',
  'pace',
  'work',
  'ran',
  'stop',
  'use',
  'lap',
  'settled',
  'counts',
  'purge',
  'time',
] as const;
export type CallName = (typeof CALLS)[number];
export type AgentCalls = Pick<Agent, CallName>;

/** One call of a name after the other; calls of different names may overlap. */
async function serve(parent: Parent, name: CallName, agent: Agent): Promise<void> {
  for (;;) {
    const given = await parent.told(name);
    try {
      parent.say(name, { value: await (agent[name] as (given: unknown) => unknown).call(agent, given) });
    } catch (error) {
      parent.say(name, { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
}

export interface Ran {
  readonly ran: number;
  readonly warmed: number;
  /** When the first measured handler began; null before. */
  readonly firstAt: number | null;
}

export interface Sent {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface Paced {
  /** HdrHistograms of ms: from the intended time to the acknowledgement, and to the call of enqueue. */
  readonly ack: string;
  readonly late: string;
  /** From the end of a job's handler to its awaited result. */
  readonly heard: string;
}

export interface Worked {
  /** How often each job ran here, by its number. */
  readonly runs: Uint8Array;
  readonly strangers: number;
  /** HdrHistograms of ms: from the intended time to the handler, and from there to the end in the store. */
  readonly pickup: string;
  readonly ends: string;
  readonly use: ProcessUse;
}

class Agent {
  readonly #system: System;
  readonly #handle: () => unknown;
  readonly #pickup = new Durations();
  readonly #ends = new Durations();
  /** Pickups since it was last asked; null: nobody asks. */
  #lap: Durations | null = null;
  readonly #startedAt: Float64Array;
  readonly #runs: Uint8Array;
  #strangers = 0;
  #ran = 0;
  #warmed = 0;
  /** When the first measured handler began. */
  #firstAt: number | null = null;
  #worker: { stop(): Promise<unknown> } | null = null;
  readonly #isHosted: boolean;
  #follower: ReturnType<typeof followHosted> | null = null;
  #watch: ReturnType<typeof watchProcess> | null = null;

  constructor(system: System, settings: AgentSettings) {
    this.#system = system;
    this.#isHosted = settings.strategy !== 'async';
    this.#handle = handlerOf(settings.handler, settings.digests);
    this.#runs = new Uint8Array(settings.jobs);
    this.#startedAt = new Float64Array(settings.timesEnds ? settings.jobs : 0);
  }

  prepare(): Promise<unknown> {
    return this.#system.prepare().then(() => null);
  }

  /** Enqueues jobs in batches, each awaited; or one by one where `batch` is 1. */
  async fill({ jobs, payload, batch, warm }: FillOptions): Promise<Sent> {
    const inputs = warm
      ? makeInputs(jobs, payload).map((input) => ({ ...input, n: -1 }))
      : makeInputs(jobs, payload);
    const cpu = process.cpuUsage();
    const began = performance.now();
    if (batch === 1) for (const input of inputs) await this.#system.enqueue(input);
    else
      for (let start = 0; start < jobs; start += batch)
        await this.#system.enqueueMany(inputs.slice(start, start + batch));
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    return { ms, cpuMs: (user + system) / 1_000 };
  }

  /** Sends job after job at its intended time, whatever became of those before. */
  async pace({ rate, count, from, awaits = false, insists = false }: PaceOptions): Promise<Paced> {
    const [ack, late, heard] = [new Durations(), new Durations(), new Durations()];
    await pace({
      rate,
      count,
      clock: systemPacerClock,
      send: (index, intendedMs) => {
        late.record(monotonicMs() - intendedMs);
        const input = { n: index + from, intendedMs };
        if (awaits) {
          const told = (this.#system.enqueueAndAwait as NonNullable<System['enqueueAndAwait']>)(input);
          return told.then((endedMs) => heard.record(monotonicMs() - endedMs));
        }
        const sent = insists ? this.#insist(input) : this.#system.enqueue(input);
        return sent.then(() => ack.record(monotonicMs() - intendedMs));
      },
    });
    return { ack: ack.encoded(), late: late.encoded(), heard: heard.encoded() };
  }

  /** Sends it again until it is acknowledged. One that was taken although its answer was lost then runs twice. */
  async #insist(input: JobInput): Promise<unknown> {
    const deadline = performance.now() + SETTLE_MAX_MS;
    for (;;) {
      try {
        return await this.#system.enqueue(input);
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** Starts a worker. Resolves to when that was begun. */
  async work(): Promise<number> {
    this.#watch = watchProcess();
    if (this.#isHosted) this.#follower ??= followHosted((input) => this.#run(input));
    const beganAt = monotonicMs();
    this.#worker = await this.#system.work(
      (input) => this.#run(input),
      (n) => {
        const startedAt = this.#startedAt[n];
        if (startedAt !== undefined && startedAt > 0) this.#ends.record(monotonicMs() - startedAt);
      },
    );
    return beganAt;
  }

  #run({ n, intendedMs, startedMs }: JobInput): unknown {
    if (n < 0) {
      this.#warmed += 1;
      return this.#handle();
    }
    this.#firstAt ??= startedMs ?? monotonicMs();
    if (intendedMs !== undefined || this.#startedAt.length > 0) {
      const now = startedMs ?? monotonicMs();
      if (intendedMs !== undefined) {
        this.#pickup.record(now - intendedMs);
        this.#lap?.record(now - intendedMs);
      }
      if (this.#startedAt.length > 0) this.#startedAt[n] = now;
    }
    const result = this.#handle();
    // Marked when the work is done: what runs is not yet at the finish line.
    if (result instanceof Promise) return result.then(() => this.#mark(n));
    this.#mark(n);
    return undefined;
  }

  #mark(n: number): void {
    this.#ran += 1;
    const runs = this.#runs[n];
    if (runs === undefined) this.#strangers += 1;
    else this.#runs[n] = Math.min(255, runs + 1);
  }

  ran(): Ran {
    return { ran: this.#ran, warmed: this.#warmed, firstAt: this.#firstAt };
  }

  use(): ProcessUse {
    this.#watch ??= watchProcess();
    return this.#watch.read();
  }

  /** Pickups since the last call, as an HdrHistogram. The first call begins. */
  lap(): string {
    const lap = this.#lap ?? new Durations();
    this.#lap = new Durations();
    return lap.encoded();
  }

  /** When the server knew of nothing unfinished any more, seen a look and a round trip late at most. */
  async settled(options?: { readonly withinMs: number }): Promise<number> {
    const deadline = performance.now() + (options?.withinMs ?? SETTLE_MAX_MS);
    while ((await this.#system.unfinished()) > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return monotonicMs();
  }

  async stop(): Promise<Worked> {
    const use = (this.#watch ?? watchProcess()).end();
    this.#watch = null;
    await this.#worker?.stop();
    this.#worker = null;
    this.#follower?.look();
    const worked = { runs: this.#runs, strangers: this.#strangers, use };
    return { ...worked, pickup: this.#pickup.encoded(), ends: this.#ends.encoded() };
  }

  counts(): Promise<Readonly<Record<string, number>>> {
    return this.#system.counts();
  }

  purge(): Promise<unknown> {
    return this.#system.purge().then(() => null);
  }

  time(): number {
    return monotonicMs();
  }
}

export interface FillOptions {
  readonly jobs: number;
  /** Bytes of an input as JSON. */
  readonly payload: number;
  readonly batch: number;
  readonly warm: boolean;
}

export interface PaceOptions {
  /** Jobs a second. */
  readonly rate: number;
  readonly count: number;
  /** Number of the first job. */
  readonly from: number;
  /** Whether results are awaited. */
  readonly awaits?: boolean;
  /** Whether what is refused is sent again. */
  readonly insists?: boolean;
}

const SETTLE_MAX_MS = 30_000;
const LOOK_MS = 4;
const AGAIN_MS = 50;
