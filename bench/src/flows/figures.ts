import { type DurationSummary, Durations } from '../histogram.ts';
import { CheckFailed } from '../ledger.ts';
import { round } from '../spread.ts';
import type { Graph } from './graph.ts';
import { edgesOf, endOf } from './marks.ts';
import type { Played } from './play.ts';

/** Of one shape at a steady rate. Milliseconds. */
export interface ShapeFigures {
  /** Runs that ended a second: the offered rate, where the system keeps up. */
  readonly runsPerSecond: number;
  /** From the intended start to the moment its starter has the run's result. */
  readonly endToEndMs: DurationSummary;
  /** From the intended start to the end of the last step's handler. */
  readonly lastStepMs: DurationSummary;
  /** From the end of a step's last parent to the begin of its own handler. Without samples where every step is a first one. */
  readonly edgeMs: DurationSummary;
  /** From the intended start until the run is durable. */
  readonly startMs: DurationSummary;
}

export function shapeFigures(played: Played, graph: Graph, warmup: number): ShapeFigures {
  const { intended, durable, ended } = played.started;
  const { marks } = played.carried;
  const numbers = Array.from({ length: intended.length - warmup }, (_, n) => warmup + n);
  const lastStepAt = new Map(numbers.map((run) => [run, endOf(marks, graph, run)]));
  const since = (at: (run: number) => number): DurationSummary =>
    durations(numbers.map((run) => at(run) - (intended[run] as number)));
  const lastAt = (run: number): number => lastStepAt.get(run) as number;
  const endAt = (run: number): number => {
    const at = ended[run] as number;
    return Number.isNaN(at) ? lastAt(run) : at;
  };
  const spanMs = Math.max(...numbers.map(endAt)) - (intended[warmup] as number);
  return {
    runsPerSecond: round((numbers.length / spanMs) * 1_000),
    endToEndMs: since(endAt),
    lastStepMs: since(lastAt),
    edgeMs: durations(edgesOf(marks, graph, warmup)),
    startMs: since((run) => durable[run] as number),
  };
}

function durations(values: readonly number[]): DurationSummary {
  const kept = new Durations(values);
  if (kept.negative > 0)
    throw new CheckFailed(
      `${kept.negative} durations are negative: a step began before its parent ended. No figures are given.`,
    );
  return kept.summary();
}

/** All runs started at once, from the start to the end of the last handler. */
export interface BurstFigures {
  readonly runs: number;
  readonly ms: number;
  readonly runsPerSecond: number;
}

export function burstFigures({ started, carried }: Played, graph: Graph, warmup: number): BurstFigures {
  const { intended } = started;
  let last = 0;
  for (let run = warmup; run < intended.length; run += 1)
    last = Math.max(last, endOf(carried.marks, graph, run));
  const ms = last - (intended[warmup] as number);
  const runs = intended.length - warmup;
  return { runs, ms: round(ms), runsPerSecond: round((runs / ms) * 1_000) };
}

/** One run with so many items and a join at a time, from its start until its starter has the result; the median of several. */
export interface FanOutFigures {
  readonly ms: number;
  readonly min: number;
  readonly max: number;
  readonly samples: number;
}

/** The items of each run that is made: small fan-outs several times, after one that is not timed. */
export function fanOutRuns(items: readonly number[]): number[] {
  return [WARM_UP_ITEMS, ...items.flatMap((count) => Array<number>(timesOf(count)).fill(count))];
}

const WARM_UP_ITEMS = 100;

function timesOf(items: number): number {
  return Math.max(1, Math.min(5, Math.floor(3_000 / Math.max(items, 1))));
}

export function fanOutFigures({ started }: Played, runs: readonly number[]): Record<string, FanOutFigures> {
  const found = new Map<number, number[]>();
  for (const [run, items] of runs.entries()) {
    if (run === 0) continue;
    const ms = (started.ended[run] as number) - (started.intended[run] as number);
    found.set(items, [...(found.get(items) ?? []), ms]);
  }
  const figures: Record<string, FanOutFigures> = {};
  for (const [items, times] of found) {
    const sorted = times.sort((one, other) => one - other);
    figures[items] = {
      ms: round(sorted[sorted.length >> 1] as number),
      min: round(sorted[0] as number),
      max: round(sorted.at(-1) as number),
      samples: sorted.length,
    };
  }
  return figures;
}
