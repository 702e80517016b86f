import type { DurationSummary } from '../histogram.ts';
import type { CellFault } from './faults.ts';

/**
 * A task of the user's own, measured on this machine: `longshore bench tasks/thumbnail.ts --input '…'`.
 *
 * A cell is one way to run its jobs: a strategy, how many at a time, and how many are held ready. Each is measured in a
 * process and on a store of its own (programs/own-task.ts), and counts its jobs exactly. `plan.ts` says which cell is
 * next, `knee.ts` when more at a time gains nothing, `recommend.ts` which cell to use and why: all three are pure, so
 * that recorded cells test them. Nothing here knows a task of the kit's.
 */
export const LANE_STRATEGIES = ['async', 'thread', 'process'] as const;

export type LaneStrategy = (typeof LANE_STRATEGIES)[number];

export interface Cell {
  readonly strategy: LaneStrategy;
  /** Jobs at the same time. */
  readonly concurrency: number;
  /** The worker's setting of this name. */
  readonly prefetchMax: number;
}

/** The worker's own default. */
export const PREFETCH_DEFAULT = 1_000;

/** Threads or processes for so many jobs at a time: one a core, and more jobs in each only beyond that. */
export interface Hosts {
  readonly hosts: number;
  readonly jobsPerHost: number;
}

export function hostsOf(concurrency: number, cores: number): Hosts {
  const hosts = Math.min(concurrency, cores);
  return { hosts, jobsPerHost: Math.ceil(concurrency / hosts) };
}

/** The figures of a cell, over the part of it that is timed. */
export interface CellFigures extends Cell, Hosts {
  /** How long was timed. */
  readonly seconds: number;
  /** Jobs that ended in this time. */
  readonly jobs: number;
  /** Jobs that were under way at one of its ends count in part. */
  readonly jobsPerSecond: number;
  /** From the start of a job to its end, ms. */
  readonly runMs: DurationSummary;
  /** The same as a histogram (histogram.ts `encoded`). */
  readonly runHistogram: string;
  /** Cores that the worker, its threads and its processes kept busy. */
  readonly cpuCores: number;
  /** Share of the machine's processor time that anybody used, 0 to 1. */
  readonly machineBusy: number;
  /** Share of the time in which the worker's event loop was busy, 0 to 1. */
  readonly loopBusy: number;
  /** How late the worker's event loop was, ms. */
  readonly loopDelayMs: { readonly p99: number; readonly max: number };
  /** Most resident memory of the worker and its processes together. */
  readonly memoryMb: number;
  readonly counts: CellCounts;
}

/** All jobs of a cell, those that warm it up too. Each was completed after one run of its handler, or never started. */
export interface CellCounts {
  readonly enqueued: number;
  readonly completed: number;
  readonly unstarted: number;
}

/** The result of a cell's program. */
export type CellEnd = { readonly figures: CellFigures } | { readonly fault: CellFault };

export function sameCell(one: Cell, other: Cell): boolean {
  return (
    one.strategy === other.strategy &&
    one.concurrency === other.concurrency &&
    one.prefetchMax === other.prefetchMax
  );
}

/** `thread, 4 at a time`. */
export function cellName({ strategy, concurrency, prefetchMax }: Cell): string {
  const prefetch = prefetchMax === PREFETCH_DEFAULT ? '' : `, prefetch ${prefetchMax}`;
  return `${strategy}, ${concurrency} at a time${prefetch}`;
}
