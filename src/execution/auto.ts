/**
 * The rule of the strategy `auto`, as a pure function: what is known of a task, and something new about it, to what is
 * known then and where the task runs.
 *
 * A task starts in a thread, where it can do no harm and the time that it keeps the event loop busy can be measured. Light ones move to the event
 * loop, where a job costs least. One that is caught blocking the loop goes back, and each time it does so it has to stay
 * twice as long: a task that is heavy now and then ends up in a thread instead of moving to and fro.
 */
export interface Profile {
  readonly lane: 'inline' | 'thread';
  /** Enough was measured for the first choice. */
  readonly decided: boolean;
  /** Jobs measured since the task came to its thread. */
  readonly samples: number;
  /** Moving averages over measured jobs, ms. */
  readonly busyMs: number;
  readonly wallMs: number;
  /** Moving average over measured jobs of the longest time that each kept the loop at a stretch, ms. */
  readonly heldMs: number;
  /** Longest time it was caught holding the worker's event loop, ms. */
  readonly longestBlockMs: number;
  /** Blocks of the loop in which it was one of several that may have done it, since the last move. */
  readonly suspicions: number;
  /** How often it went back to a thread because it blocked the loop. */
  readonly returns: number;
}

export type Observation =
  /** A job in a thread. */
  | ({ readonly type: 'measured' } & Measured)
  /** A job on the event loop held it for longer than it may; `certain`: no other job could have done it. */
  | { readonly type: 'blocked'; readonly blockedMs: number; readonly certain: boolean };

interface Measured {
  readonly busyMs: number;
  readonly wallMs: number;
  readonly heldMs: number;
}

export interface AutoRule {
  /** Longest time a handler may hold the event loop, ms. */
  readonly blockedMs: number;
  /** Most threads at a time. */
  readonly threads: number;
}

export interface Verdict {
  readonly profile: Profile;
  /** Why the task runs elsewhere from now on, or was first decided to stay; null: nothing new. */
  readonly reason: string | null;
}

export const PROFILE_NEW: Profile = {
  lane: 'thread',
  decided: false,
  samples: 0,
  busyMs: 0,
  wallMs: 0,
  heldMs: 0,
  longestBlockMs: 0,
  suspicions: 0,
  returns: 0,
};

export function observe(profile: Profile, seen: Observation, rule: AutoRule): Verdict {
  return seen.type === 'measured' ? measured(profile, seen, rule) : blocked(profile, seen);
}

/** Jobs to be measured before the task may move to the loop: 5, doubled with each return, at most 5,120. */
export function samplesNeeded({ returns }: Pick<Profile, 'returns'>): number {
  return SAMPLES_FIRST * 2 ** Math.min(returns, RETURNS_MAX);
}

/** Share of its time that a job keeps the event loop busy, 0 to 1. */
export function busyShare({ busyMs, wallMs }: Pick<Profile, 'busyMs' | 'wallMs'>): number {
  return wallMs <= 0 ? 0 : Math.min(1, busyMs / wallMs);
}

const SAMPLES_FIRST = 5;
const RETURNS_MAX = 10;
/** Weight of a new measurement: five make two thirds of the average. */
const WEIGHT = 0.2;
/** Less time than this disturbs nobody, whatever its share. */
const LIGHT_BUSY_MS = 5;
/** With a share s, 1 / s jobs at a time fill the event loop. Where there are few threads, that is more than they could run. */
const LIGHT_SHARE = { least: 0.2, most: 0.35, ofThreads: 0.7 };
const SUSPICIONS_MAX = 3;

function measured(before: Profile, { busyMs, wallMs, heldMs }: Measured, rule: AutoRule): Verdict {
  // Jobs that were still in threads when the task moved.
  if (before.lane === 'inline') return { profile: before, reason: null };
  const samples = before.samples + 1;
  // The first job in a thread also pays for compiling and for what the handler loads lazily: the second replaces it.
  const weight = samples <= 2 ? 1 : WEIGHT;
  const profile: Profile = {
    ...before,
    samples,
    busyMs: before.busyMs + weight * (busyMs - before.busyMs),
    wallMs: before.wallMs + weight * (wallMs - before.wallMs),
    heldMs: before.heldMs + weight * (heldMs - before.heldMs),
  };
  if (samples < samplesNeeded(profile)) return { profile, reason: null };
  const figures = `${round(profile.busyMs)} ms busy in ${round(profile.wallMs)} ms, ${round(profile.heldMs)} at a stretch, over ${samples} jobs`;
  if (isLight(profile, rule))
    return { profile: { ...profile, lane: 'inline', decided: true }, reason: `light: ${figures}` };
  return { profile: { ...profile, decided: true }, reason: before.decided ? null : `heavy: ${figures}` };
}

/** However long a job runs: what others on the loop wait for is the longest piece of it that is not shared out. */
function isLight(profile: Profile, { blockedMs, threads }: AutoRule): boolean {
  const { busyMs, heldMs } = profile;
  const { least, most, ofThreads } = LIGHT_SHARE;
  const shareMax = Math.max(least, Math.min(most, ofThreads / threads));
  return busyMs < LIGHT_BUSY_MS || (busyShare(profile) < shareMax && heldMs < blockedMs / 2);
}

function blocked(before: Profile, { blockedMs, certain }: { blockedMs: number; certain: boolean }): Verdict {
  if (before.lane === 'thread') return { profile: before, reason: null };
  const suspicions = before.suspicions + 1;
  const longestBlockMs = certain ? Math.max(before.longestBlockMs, blockedMs) : before.longestBlockMs;
  if (!certain && suspicions < SUSPICIONS_MAX)
    return { profile: { ...before, suspicions, longestBlockMs }, reason: null };
  const reason = certain
    ? `held the event loop for ${round(blockedMs)} ms`
    : `ran ${suspicions} times when something held the event loop, last for ${round(blockedMs)} ms`;
  const returns = before.returns + 1;
  return {
    profile: { ...before, lane: 'thread', samples: 0, suspicions: 0, longestBlockMs, returns },
    reason,
  };
}

function round(ms: number): number {
  return ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms);
}
