/**
 * What the control law knows about the plant: the use at the number of slots of now, what one slot costs, how long jobs
 * stay, where memory goes. The filters, and why they are as they are, are told in control.ts.
 */
export interface Sample {
  /** Used share of the processor time that this process may use, 0 to 1. */
  readonly cpu: number;
  /** Used share of the memory that it may use, 0 to 1. */
  readonly memory: number;
}

export interface Observation extends Sample {
  /** Since the observation before. */
  readonly elapsedMs: number;
  /** Slots used, on average since the observation before. */
  readonly used: number;
  /** Slots used now. */
  readonly usedNow: number;
  /** Jobs that ended since the observation before. */
  readonly ended: number;
  /** Slots open now: fewer than decided while the ramp opens them. */
  readonly open: number;
}

/** What belongs together: it has passed the same filter. */
export interface Point {
  readonly cpu: number;
  readonly memory: number;
  readonly used: number;
  readonly open: number;
}

export interface Estimate {
  readonly sinceChangeMs: number;
  /** How long jobs stay in their slots. */
  readonly stayMs: number;
  /** How much time the mean covers. */
  readonly coveredMs: number;
  readonly mean: Point;
  readonly fast: Point;
  readonly memory: number;
  /** Per second. */
  readonly memoryTrend: number;
  /** The last settled point below saturation; null when it proved wrong. */
  readonly known: Point | null;
  /** What one slot more adds to the use, as changes taught; null: not known, taken as the average. */
  readonly slotCost: number | null;
}

const NOWHERE: Point = { cpu: 0, memory: 0, used: 0, open: 0 };

export const NOTHING_KNOWN: Estimate = {
  sinceChangeMs: 0,
  stayMs: 0,
  coveredMs: 0,
  mean: NOWHERE,
  fast: NOWHERE,
  memory: Number.NaN,
  memoryTrend: 0,
  known: null,
  slotCost: null,
};

/** From here on the processor hides what slots cost. */
export const SATURATED = 0.97;

/** What is sampled so soon after a change shows the time before it. */
const DEAD_MS = 300;
/** The mean covers so much time at most; with jobs that stay longer as much as they stay, up to the second figure. */
const MEAN_MS = 3_000;
const MEAN_MAX_MS = 15_000;
/** It counts from here on; with jobs that stay longer from half a stay on, up to the second figure. */
const COVERED_MIN_MS = 750;
const COVERED_ENOUGH_MS = 5_000;
/** Time constant of the fast filter; with jobs that stay longer half a stay, up to the second figure. */
const FAST_MS = 500;
const FAST_MAX_MS = 5_000;
/** Where the two are so far apart, the mean starts anew. */
const STEP = 0.1;
const TREND_MS = 2_000;
const STAY_MAX_MS = 60_000;

/** Whether the mean covers enough to act on. */
export function enough({ coveredMs, stayMs }: Estimate): boolean {
  return coveredMs >= Math.max(COVERED_MIN_MS, Math.min(stayMs / 2, COVERED_ENOUGH_MS));
}

/** How much the mean covers when it is full. */
export function fullMeanMs(stayMs: number): number {
  return Math.max(MEAN_MS, Math.min(stayMs, MEAN_MAX_MS));
}

/** What the sample adds to what is known. */
export function observed(state: Estimate, seen: Observation, total: number): Estimate {
  const { elapsedMs, memory } = seen;
  const sinceChangeMs = state.sinceChangeMs + elapsedMs;
  const fastMs = Math.max(FAST_MS, Math.min(state.stayMs / 2, FAST_MAX_MS));
  const fast = blend(state.fast, seen, 1 - Math.exp(-elapsedMs / fastMs));
  const first = Number.isNaN(state.memory);
  const slope = first || elapsedMs === 0 ? 0 : ((memory - state.memory) / elapsedMs) * 1_000;
  const memoryTrend = state.memoryTrend + (slope - state.memoryTrend) * (1 - Math.exp(-elapsedMs / TREND_MS));
  const stayMs = stayOf(state, seen);
  const next = { ...state, sinceChangeMs, fast, memory, memoryTrend, stayMs };
  // Jobs that the decision let run to their end still show the time before it.
  if (sinceChangeMs < DEAD_MS || seen.usedNow > total) return { ...next, coveredMs: 0 };
  const coveredMs = Math.min(state.coveredMs + elapsedMs, fullMeanMs(stayMs));
  const mean = blend(state.mean, seen, coveredMs === 0 ? 1 : Math.min(1, elapsedMs / coveredMs));
  const left = coveredMs >= 2 * fastMs && Math.abs(fast.cpu - mean.cpu) > STEP;
  return left ? { ...next, mean: fast, coveredMs: fastMs } : { ...next, mean, coveredMs };
}

function blend(old: Point, now: Point, weight: number): Point {
  const between = (field: keyof Point): number => old[field] + (now[field] - old[field]) * weight;
  return { cpu: between('cpu'), memory: between('memory'), used: between('used'), open: between('open') };
}

/** Little's law: jobs in the slots, by jobs that end in a time, is how long each stays. */
function stayOf({ stayMs }: Estimate, { elapsedMs, used, ended }: Observation): number {
  const slotMs = used * elapsedMs;
  if (slotMs === 0) return stayMs;
  // An average weighted by ends; where none ended, the slots' occupants are that much older.
  if (ended === 0) return Math.min(stayMs + elapsedMs / 2, STAY_MAX_MS);
  const weight = Math.min(1, 0.3 + ended / (4 * used));
  return Math.min(stayMs + (slotMs / ended - stayMs) * weight, STAY_MAX_MS);
}

/** Never more than the average at `point`, which load that is not ours can only raise. */
export function slotCostOf({ slotCost }: Estimate, point: Point): number {
  const average = Math.max(point.cpu / Math.max(point.used, 0.5), 0.001);
  return slotCost === null ? average : Math.min(slotCost, average);
}

/** Of a point that has settled: the cost of a slot, if it is not the point of before. */
export function learned(state: Estimate): Estimate {
  const { mean, known, coveredMs } = state;
  if (coveredMs < COVERED_MIN_MS || mean.cpu >= SATURATED || mean.used < 0.5) return state;
  if (known === null || Math.abs(mean.used - known.used) < 0.8) return { ...state, known: mean };
  const slope = (mean.cpu - known.cpu) / (mean.used - known.used);
  const average = mean.cpu / mean.used;
  const lesson = Math.min(Math.max(slope, average / 10), average);
  // A single slot more teaches little above the noise.
  const weight = state.slotCost === null ? 1 : Math.min(1, Math.abs(mean.used - known.used) / 8);
  const slotCost = (state.slotCost ?? 0) * (1 - weight) + lesson * weight;
  return { ...state, known: mean, slotCost };
}
