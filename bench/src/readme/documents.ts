import type { DurationSummary } from '../histogram.ts';
import type { Spread } from '../spread.ts';

/** Of recorded documents of `longshore-bench/1`, what the tables read. The commands that made them are now workloads of the kit. */
export interface BurndownFigures {
  readonly enqueuePerSecond: number;
  readonly processPerSecond: number;
  readonly spread: Readonly<Record<string, Spread>>;
}

export interface FleetFigures {
  readonly fleets: readonly { readonly processes: number; readonly ratioToFirst: Spread }[];
}

export interface LatencyFigures {
  readonly pickup: { readonly twoProcesses: DurationSummary | null };
  readonly commit: DurationSummary | null;
  readonly handover: DurationSummary | null;
}

export interface MemoryFigures {
  readonly addedMb: number;
}

export interface VersusFigures {
  readonly ratio: Readonly<Record<string, { readonly enqueue: Spread; readonly process: Spread }>>;
}
