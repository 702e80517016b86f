import type { Bench, CommonSettings } from '../bench.ts';

/** A workflow engine's own worker beside ours on the same server, in turns. Each engine says what its tasks are (engines/). */
export interface EngineSettings extends CommonSettings {
  readonly engine: string;
  /** A running server; default: one is started. */
  readonly url?: string;
  readonly jobs: number;
  readonly concurrency: number;
}

/** What one worker did in one round. */
export interface EngineRound {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Processor time of the worker's process while it emptied the queue. */
  readonly cpuMicrosPerJob: number;
}

/** Both in one round. */
export interface EnginePair {
  readonly ours: EngineRound;
  readonly own: EngineRound;
}

/** Each round of an engine's measurement. */
export type Measure = (settings: EngineSettings, bench: Bench) => Promise<readonly EnginePair[]>;
