import {
  type Estimate,
  enough,
  fullMeanMs,
  learned,
  NOTHING_KNOWN,
  type Observation,
  observed,
  SATURATED,
  slotCostOf,
} from './estimate.ts';
import type { TunerSettings } from './settings.ts';

/**
 * The control law of the resource-based tuner. Pure: what was known and one sample in, what is known now and perhaps
 * another number of slots out. Chosen and tuned on simulated plants, docs/adr/0008-control-law.md.
 *
 * Algorithm: proportional scaling, as Kubernetes' horizontal pod autoscaler does it (desired = used x target / use; its
 * "Algorithm details"), of processor and memory each, the smaller one wins. It never overshoots where load that is not
 * ours adds to the use, since that makes a slot look dearer than it is. What is added to it:
 * - The use is the mean since the last change, over 3 s at most; it starts anew when a fast filter (0.5 s) leaves it.
 *   Use and used slots pass the same filters, so that their ratio, the cost of a slot, holds in transients too.
 * - One change a second at most; what was sampled in the first 300 ms after one shows the time before it, and is left out.
 * - It grows only while slots limit (at least 90 % used), else it would wind up on an empty queue; at most to the double,
 *   and by no more than the ramp opens in a second. The ramp ends early where the fast filter meets the target.
 * - It holds within 3 points of the target, or within half of what one slot costs: the nearest whole number of slots is
 *   as good as it gets. What a slot costs is learned from the last change. A hold on that ground, more than 5 points off,
 *   is tested by one slot after 10 s, then 20, 40, and every 80 s; after 2 s where the cost was never learned.
 *   One slot back after a change, for less than 10 points, needs a full mean.
 * - At 97 % and more the processor is saturated, and what slots cost is hidden: it shrinks to 0.7 of the used slots a
 *   second, unless what was learned before predicts saturation at this number and says that no other is nearer the target.
 * - Over the memory target it sheds to 0.7 of the used slots a second, to 0.4 when the trend would reach the limit itself
 *   within 3 s; within 5 points below the target, or when the trend would cross it within 3 s, nothing is added.
 * - With jobs that stay for seconds (Little's law) the filters are as much slower, so that a mean covers whole jobs.
 * - Growth goes half way to a number that saturated the processor before, until it is found to be too low.
 * Nothing that runs is stopped: while more is used than allowed, what the processor says is about the past, and waits.
 */
export type Reason =
  | 'cpuBelowTarget'
  | 'cpuOverTarget'
  | 'cpuSaturated'
  | 'cpuTested'
  | 'unusedUnderLoad'
  | 'memoryOverTarget';

export interface Decision {
  readonly from: number;
  readonly to: number;
  readonly reason: Reason;
}

export interface ControlState extends Estimate {
  /** Slots decided. */
  readonly total: number;
  /** Slots more or fewer than before the last change. */
  readonly lastStep: number;
  /** So many slots saturated the processor not long ago; null when that proved wrong. */
  readonly ceiling: number | null;
  /** How long a hold has rested on the cost of a slot, and when that is tested. */
  readonly restedMs: number;
  readonly testAfterMs: number;
}

export const DECISION_MS = 1_000;
const DEAD_BAND = 0.03;
const HALF_SLOT = 0.55;
const LIMITING = 0.9;
const GROWTH_MAX = 2;
const SHRINK = 0.7;
const SHED = 0.4;
const MEMORY_MARGIN = 0.05;
const MEMORY_AHEAD_S = 3;
const SMALL_ERROR = 0.1;
const TEST_ERROR = 0.05;
const TEST_FIRST_MS = 2_000;
const TEST_MS = 10_000;
const TEST_MAX_MS = 80_000;

export function initialState({ slotsMin }: TunerSettings): ControlState {
  return { ...NOTHING_KNOWN, total: slotsMin, lastStep: 0, ceiling: null, restedMs: 0, testAfterMs: TEST_MS };
}

/** One observation further. `decision` is null where the number of slots stays. */
export function control(
  before: ControlState,
  seen: Observation,
  settings: TunerSettings,
): { readonly state: ControlState; readonly decision: Decision | null } {
  let state = { ...before, ...observed(before, seen, before.total) };
  if (seen.open < state.total && mustNotGrow(state, settings)) state = { ...state, total: seen.open };
  if (state.sinceChangeMs < DECISION_MS) return { state, decision: null };
  const verdict = verdictOf(state, seen, settings);
  const { slotsMin, slotsMax } = settings;
  const to = Math.min(Math.max(verdict.to, slotsMin), slotsMax);
  if (to === state.total || turnsTooSoon(state, to, settings))
    return { state: rested({ ...state, ...learned(state) }, verdict, seen), decision: null };
  const decision = { from: state.total, to, reason: verdict.reason as Reason };
  return { state: changed({ ...state, ...learned(state) }, decision), decision };
}

/** One slot back after a change, for a small error, is most often noise: that takes a full mean, of which the first look is a part. */
function turnsTooSoon(state: ControlState, to: number, { targetCpu }: TunerSettings): boolean {
  const { total, lastStep, coveredMs, stayMs, mean } = state;
  const back = Math.abs(to - total) === 1 && (to - total) * lastStep < 0;
  const small = Math.abs(targetCpu - mean.cpu) <= SMALL_ERROR;
  return back && small && coveredMs < fullMeanMs(stayMs);
}

/** While the ramp opens slots: enough is enough, before the next decision. */
function mustNotGrow(state: ControlState, settings: TunerSettings): boolean {
  return state.fast.cpu >= settings.targetCpu || memoryIsNear(state, settings);
}

function memoryIsNear({ memory, memoryTrend }: ControlState, { targetMemory }: TunerSettings): boolean {
  return memory > targetMemory - MEMORY_MARGIN || memory + memoryTrend * MEMORY_AHEAD_S > targetMemory;
}

interface Verdict {
  readonly to: number;
  /** Null: it stays. */
  readonly reason: Reason | null;
  /** It stays because a whole slot is too much. */
  readonly rests?: boolean;
}

function verdictOf(state: ControlState, seen: Observation, settings: TunerSettings): Verdict {
  const { total, mean } = state;
  const hold: Verdict = { to: total, reason: null };
  if (state.memory > settings.targetMemory) {
    const soonFull = state.memory + state.memoryTrend * MEMORY_AHEAD_S > 1;
    const kept = Math.min(seen.usedNow, total) * (soonFull ? SHED : SHRINK);
    const to = Math.min(total, Math.floor(kept));
    return { to, reason: 'memoryOverTarget' };
  }
  if (!enough(state)) return hold;
  const error = settings.targetCpu - mean.cpu;
  if (mean.cpu >= SATURATED && error < 0) return whenSaturated(state, seen, settings);
  if (Math.abs(error) <= DEAD_BAND) return hold;
  return error < 0 ? whenOver(state, seen, settings) : whenUnder(state, seen, settings);
}

function whenSaturated(state: ControlState, seen: Observation, { targetCpu }: TunerSettings): Verdict {
  const { total, known, mean } = state;
  const hold: Verdict = { to: total, reason: null };
  if (seen.usedNow > total) return hold;
  if (mean.used < SHRINK * mean.open)
    return { to: Math.min(total, Math.ceil(mean.used)), reason: 'unusedUnderLoad' };
  if (known !== null) {
    const cost = slotCostOf(state, known);
    const predicted = known.cpu + cost * (total - known.used);
    const nearest = Math.round(known.used + (targetCpu - known.cpu) / cost);
    if (predicted >= SATURATED - DEAD_BAND && nearest >= total) return tested(state, total - 1, targetCpu);
    if (predicted >= SATURATED - DEAD_BAND)
      return { to: Math.max(nearest, Math.floor(mean.used * SHRINK)), reason: 'cpuSaturated' };
  }
  return { to: Math.min(total - 1, Math.floor(mean.used * SHRINK)), reason: 'cpuSaturated' };
}

function whenOver(state: ControlState, seen: Observation, { targetCpu }: TunerSettings): Verdict {
  const { total, mean } = state;
  if (seen.usedNow > total) return { to: total, reason: null };
  if (mean.used < SHRINK * mean.open)
    return { to: Math.min(total, Math.ceil(mean.used)), reason: 'unusedUnderLoad' };
  if (mean.cpu - targetCpu <= HALF_SLOT * slotCostOf(state, mean)) return tested(state, total - 1, targetCpu);
  const desired = Math.round((mean.used * targetCpu) / mean.cpu);
  return { to: Math.min(total - 1, desired), reason: 'cpuOverTarget' };
}

function whenUnder(state: ControlState, seen: Observation, settings: TunerSettings): Verdict {
  const { total, mean } = state;
  const { targetCpu, targetMemory, rampMs } = settings;
  const hold: Verdict = { to: total, reason: null };
  if (mean.used < LIMITING * mean.open || memoryIsNear(state, settings)) return hold;
  const settled = mean.used >= LIMITING * total;
  if (settled && targetCpu - mean.cpu <= HALF_SLOT * slotCostOf(state, mean))
    return tested(state, total + 1, targetCpu);
  const least = settled ? total + 1 : total;
  const byCpu = Math.max(least, Math.round((mean.used * targetCpu) / Math.max(mean.cpu, 0.001)));
  const byMemory = Math.floor((mean.used * (targetMemory - MEMORY_MARGIN)) / Math.max(mean.memory, 0.001));
  const byRamp = seen.open + Math.max(1, Math.floor(DECISION_MS / Math.max(rampMs, 0.001)));
  const { ceiling } = state;
  const byCeiling = ceiling === null || total >= ceiling - 1 ? byCpu : Math.ceil((total + ceiling) / 2);
  const to = Math.min(byCpu, byMemory, byRamp, byCeiling, total * GROWTH_MAX);
  return to <= total ? hold : { to, reason: 'cpuBelowTarget' };
}

/** A hold that rests on the cost of a slot, or the step that tests it. */
function tested(state: ControlState, other: number, target: number): Verdict {
  const { total, mean, restedMs, testAfterMs, slotCost } = state;
  const afterMs = slotCost === null && mean.cpu < SATURATED ? TEST_FIRST_MS : testAfterMs;
  if (restedMs >= afterMs) return { to: other, reason: 'cpuTested' };
  return { to: total, reason: null, rests: Math.abs(target - mean.cpu) > TEST_ERROR };
}

function rested(state: ControlState, { rests = false }: Verdict, { elapsedMs }: Observation): ControlState {
  return rests ? { ...state, restedMs: state.restedMs + elapsedMs } : state;
}

function changed(state: ControlState, { from, to, reason }: Decision): ControlState {
  const test = reason === 'cpuTested';
  const far = Math.abs(to - from) > 1;
  const testAfterMs = test ? Math.min(state.testAfterMs * 2, TEST_MAX_MS) : far ? TEST_MS : state.testAfterMs;
  const hidden = reason === 'cpuSaturated' && far;
  const reached = state.ceiling !== null && to >= state.ceiling;
  return {
    ...state,
    total: to,
    lastStep: to - from,
    sinceChangeMs: 0,
    coveredMs: 0,
    restedMs: 0,
    testAfterMs,
    ...(hidden ? { known: null, slotCost: null, ceiling: from } : reached ? { ceiling: null } : {}),
  };
}
