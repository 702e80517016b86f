import type { Run, Step } from '../data.ts';
import { exact, span } from '../words.ts';

/**
 * When each step ran. Time in which no step worked is folded into a narrow gap that tells how long it was, so that minutes of
 * work are seen beside days of waiting.
 */
const GAP_SHARE = 0.06;
/** Shorter ones are not worth folding: a share of all work. */
const GAP_LEAST = 0.15;

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly isGap: boolean;
}

export function RunTimeline({ run }: { run: Run }) {
  const now = Date.now();
  const begun = run.steps.filter(({ startedAt }) => startedAt !== null);
  if (begun.length === 0) return <p class="empty">No step has begun.</p>;
  const end = Math.max(run.endedAt ?? now, ...begun.map((step) => endOf(step, now)));
  const stretches = stretchesOf(begun.filter(works), { from: run.startedAt, to: end }, now);
  const at = scale(stretches);
  return (
    <div class="when">
      {begun.map((step) => {
        const [from, to] = [at(step.startedAt as number), at(endOf(step, now))];
        const took = span(endOf(step, now) - (step.startedAt as number));
        return (
          <div key={step.name} class="row">
            <span class="label">{step.name}</span>
            <span class="track">
              <span
                class={`bar state-${step.state}`}
                style={{ left: `${from * 100}%`, width: `${Math.max(0.4, (to - from) * 100)}%` }}
                title={`${exact(step.startedAt as number)}, ${took}`}
              />
            </span>
            <span class="number">{step.endedAt === null ? `${took} so far` : took}</span>
          </div>
        );
      })}
      <div class="row gaps">
        <span class="label" />
        <span class="track">
          {stretches
            .filter(({ isGap }) => isGap)
            .map(({ from, to }) => (
              <span
                key={from}
                class="gap"
                style={{ left: `${at(from) * 100}%`, width: `${(at(to) - at(from)) * 100}%` }}
              >
                {span(to - from)}
              </span>
            ))}
        </span>
        <span />
      </div>
    </div>
  );
}

function works({ kind }: Step): boolean {
  return kind !== 'wait' && kind !== 'sleep';
}

function endOf({ endedAt, startedAt, state }: Step, now: number): number {
  return endedAt ?? (state === 'running' || state === 'waiting' ? now : (startedAt as number));
}

/** All time from first to last, as work and gaps by turns. */
function stretchesOf(
  steps: readonly Step[],
  { from, to }: { from: number; to: number },
  now: number,
): Stretch[] {
  const work = steps
    .map((step) => ({ from: step.startedAt as number, to: endOf(step, now) }))
    .sort((one, other) => one.from - other.from);
  const total = work.reduce((sum, one) => sum + one.to - one.from, 0);
  const least = Math.max(1_000, total * GAP_LEAST);
  const stretches: Stretch[] = [];
  let reached = from;
  let begun = from;
  for (const one of [...work, { from: to, to }]) {
    if (one.from - reached >= least) {
      if (reached > begun) stretches.push({ from: begun, to: reached, isGap: false });
      stretches.push({ from: reached, to: one.from, isGap: true });
      begun = one.from;
    }
    reached = Math.max(reached, one.to);
  }
  if (reached > begun || stretches.length === 0) stretches.push({ from: begun, to: reached, isGap: false });
  return stretches;
}

/** From a time to its place, 0 to 1. */
function scale(stretches: readonly Stretch[]): (at: number) => number {
  const gaps = stretches.filter(({ isGap }) => isGap).length;
  const gap = gaps === stretches.length ? 1 / gaps : Math.min(GAP_SHARE, 0.5 / Math.max(1, gaps));
  const work = stretches.reduce((sum, { from, to, isGap }) => sum + (isGap ? 0 : to - from), 0);
  return (at) => {
    let place = 0;
    for (const { from, to, isGap } of stretches) {
      const share = isGap ? gap : ((to - from) / Math.max(1, work)) * (1 - gaps * gap);
      if (at < to) return place + (to === from ? 0 : (Math.max(0, at - from) / (to - from)) * share);
      place += share;
    }
    return Math.min(1, place);
  };
}
