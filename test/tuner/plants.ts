import { type ControlState, control, type Decision, initialState } from '../../src/tuner/control.ts';
import type { Sample } from '../../src/tuner/estimate.ts';
import type { TunerSettings } from '../../src/tuner/settings.ts';

/**
 * Simulated machines with jobs on them, in steps of 5 ms, for the control law to be judged on. Jobs alternate between
 * waiting and computing; those that compute share the cores with load that is not ours.
 */
export interface Plant {
  readonly name: string;
  readonly cores: number;
  /** Of one job, on average; what jobs take varies by half to both sides. */
  readonly computeMs: number;
  readonly waitMs: number;
  /** A factor for the computing of jobs that start at this time. */
  readonly cost?: (atMs: number) => number;
  /** Share of all cores that others use. */
  readonly foreign?: (atMs: number) => number;
  /** Whether there are jobs to start. */
  readonly queued?: (atMs: number) => boolean;
  /** Share of the memory limit: without jobs, for a running job, and left behind by each second that a slot is used. */
  readonly memory?: { readonly base: number; readonly job?: number; readonly leak?: number };
  /** Largest error of a sample of the processor. */
  readonly noise?: number;
  /** Samples are so old. */
  readonly lagMs?: number;
}

/** As the controller counts it. */
export interface Seen {
  readonly elapsedMs: number;
  readonly used: number;
  readonly usedNow: number;
  readonly ended: number;
  readonly atMs: number;
}

/** What decides how many jobs may run; told of each sample, asked in each step. */
export interface Policy {
  readonly open: number;
  /** Changes decided so far. */
  readonly decisions: readonly (Decision & { readonly atMs: number })[];
  sample(sample: Sample, seen: Seen): void;
  /** Whether another job may start while `used` run. */
  mayStart(used: number, atMs: number): boolean;
}

/** The state at the end of each 200 ms. */
export interface Mark {
  readonly atMs: number;
  readonly cpu: number;
  readonly memory: number;
  readonly used: number;
  readonly open: number;
}

const STEP_MS = 5;
export const SAMPLE_MS = 200;

interface RunningJob {
  waitMs: number;
  computeMs: number;
}

export function simulate(plant: Plant, policy: Policy, endMs: number, seed = 1): Mark[] {
  const random = randomFrom(seed);
  const marks: Mark[] = [];
  const late: Sample[] = [];
  let jobs: RunningJob[] = [];
  let leaked = 0;
  let sum = { cpu: 0, used: 0, ended: 0 };
  for (let atMs = 0; atMs < endMs; atMs += STEP_MS) {
    const queued = plant.queued?.(atMs) ?? true;
    while (queued && policy.mayStart(jobs.length, atMs)) jobs.push(makeJob(plant, atMs, random));
    const cpu = advance(jobs, plant, atMs);
    const { length } = jobs;
    jobs = jobs.filter(({ waitMs, computeMs }) => waitMs > 0 || computeMs > 0);
    leaked += ((plant.memory?.leak ?? 0) * jobs.length * STEP_MS) / 1_000;
    sum = { cpu: sum.cpu + cpu, used: sum.used + length, ended: sum.ended + length - jobs.length };
    if ((atMs + STEP_MS) % SAMPLE_MS !== 0) continue;
    const steps = SAMPLE_MS / STEP_MS;
    const memory = (plant.memory?.base ?? 0.2) + (plant.memory?.job ?? 0) * jobs.length + leaked;
    marks.push({ atMs, cpu: sum.cpu / steps, memory, used: sum.used / steps, open: policy.open });
    const noise = (plant.noise ?? 0) * (2 * random() - 1);
    late.push({ cpu: Math.min(1, Math.max(0, sum.cpu / steps + noise)), memory });
    const sample = late[Math.max(0, late.length - 1 - Math.round((plant.lagMs ?? 0) / SAMPLE_MS))] as Sample;
    const { ended } = sum;
    policy.sample(sample, {
      elapsedMs: SAMPLE_MS,
      used: sum.used / steps,
      usedNow: jobs.length,
      ended,
      atMs,
    });
    sum = { cpu: 0, used: 0, ended: 0 };
  }
  return marks;
}

function makeJob({ computeMs, waitMs, cost }: Plant, atMs: number, random: () => number): RunningJob {
  const factor = cost?.(atMs) ?? 1;
  return { waitMs: waitMs * (0.5 + random()), computeMs: computeMs * factor * (0.5 + random()) };
}

/** One step; returns the used share of the cores. */
function advance(jobs: RunningJob[], { cores, foreign }: Plant, atMs: number): number {
  const others = Math.min(1, foreign?.(atMs) ?? 0);
  const computing = jobs.filter(({ waitMs }) => waitMs <= 0);
  for (const job of jobs) if (job.waitMs > 0) job.waitMs -= STEP_MS;
  // Others have as much right to the cores as we: of full cores each side gets at least half, if it wants it.
  const capacityMs = cores * STEP_MS * Math.max(1 - others, 0.5);
  return Math.min(1, share(computing, capacityMs) / (cores * STEP_MS) + others);
}

/** Equal parts of the capacity, at most one core each; what one leaves goes to the others. Returns what was taken. */
function share(jobs: RunningJob[], capacityMs: number): number {
  let leftMs = capacityMs;
  const byNeed = [...jobs].sort((one, other) => one.computeMs - other.computeMs);
  for (const [index, job] of byNeed.entries()) {
    const takenMs = Math.min(job.computeMs, STEP_MS, leftMs / (byNeed.length - index));
    job.computeMs -= takenMs;
    leftMs -= takenMs;
  }
  return capacityMs - leftMs;
}

/** The control law with its ramp. */
export class Controlled implements Policy {
  readonly decisions: (Decision & { atMs: number })[] = [];
  readonly #settings: TunerSettings;
  #state: ControlState;
  #open: number;
  #openedAtMs = 0;

  constructor(settings: TunerSettings) {
    this.#settings = settings;
    this.#state = initialState(settings);
    this.#open = this.#state.total;
  }

  get open(): number {
    return this.#open;
  }

  sample(sample: Sample, seen: Seen): void {
    const { state, decision } = control(
      this.#state,
      { ...sample, ...seen, open: this.#open },
      this.#settings,
    );
    this.#state = state;
    this.#open = Math.min(this.#open, state.total);
    if (decision !== null) this.decisions.push({ ...decision, atMs: seen.atMs });
  }

  mayStart(used: number, atMs: number): boolean {
    const { rampMs } = this.#settings;
    if (rampMs === 0) this.#open = this.#state.total;
    while (this.#open < this.#state.total && atMs - this.#openedAtMs >= rampMs) {
      this.#open += 1;
      this.#openedAtMs = atMs;
    }
    return used < this.#open;
  }
}

/** What this is compared with: a job is admitted while the use is below the target less 5 points, one per ramp, and none is revoked. */
export class ThresholdSwitch implements Policy {
  readonly decisions: (Decision & { atMs: number })[] = [];
  readonly #settings: TunerSettings;
  #last: Sample = { cpu: 0, memory: 0 };
  #startedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: TunerSettings) {
    this.#settings = settings;
  }

  get open(): number {
    return this.#settings.slotsMax;
  }

  sample(sample: Sample): void {
    this.#last = sample;
  }

  mayStart(used: number, atMs: number): boolean {
    const { slotsMin, slotsMax, targetCpu, targetMemory, rampMs } = this.#settings;
    if (used < slotsMin) return true;
    if (used >= slotsMax || atMs - this.#startedAtMs < rampMs) return false;
    if (this.#last.cpu >= targetCpu - 0.05 || this.#last.memory >= targetMemory - 0.05) return false;
    this.#startedAtMs = atMs;
    return true;
  }
}

/** A generator of the same numbers in [0, 1) for the same seed: mulberry32, public domain. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
