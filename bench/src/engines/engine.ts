import type { Bench } from '../bench.ts';

/**
 * Workflow engines, measured with their own worker and with ours on the same server, one after the other in each round. The load
 * (temporal.ts, operaton.ts) is sent from this process, a worker is a program of its own (worker-side.ts): ours is
 * programs/engine-worker.ts, the engine's own is in bench/rivals/engines. What is measured is in measure.ts.
 */
export const ENGINES = ['temporal', 'operaton'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Whose worker: the one of the engine's makers, or Longshore's. */
export type Side = 'own' | 'ours';
export const SIDES: readonly Side[] = ['own', 'ours'];

/** What can be measured of them. */
export const ENGINES_PARTS = ['throughput', 'blocked', 'cancel', 'cpu', 'tuner'] as const;
export type EnginesPart = (typeof ENGINES_PARTS)[number];

/**
 * The kinds of work. `echo` returns its input at once; `compute` takes one core for so many iterations; `mixed` computes for a while
 * and waits for four times as long; `block` holds the thread that it runs in.
 */
export const KINDS = ['echo', 'compute', 'mixed', 'block'] as const;
export type Kind = (typeof KINDS)[number];

/** With what a worker's program is started. */
export interface EngineWorkerSettings {
  readonly engine: EngineName;
  readonly url: string;
  /** The task queue, or how the topics begin: each worker has one of its own. */
  readonly queue: string;
  /** Slots; null where the tuner decides. */
  readonly slots: number | null;
  /** Share of the processor that the tuner is to keep to. */
  readonly targetCpu: number;
  /** How long a work is the worker's without a sign of life. */
  readonly lockMs: number;
}

export interface EngineWorkerRun {
  /** Of the worker's process since `begin`. */
  readonly cpuMs: number;
  /** From the start of the first work to the end of the last, since `begin`; monotonic. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A server, and what sends load to it. */
export interface Load {
  readonly url: string;
  readonly server: string;
  /** Makes what works of this queue need, for a worker that is told to start. */
  prepare(queue: string): Promise<void>;
  /** Works are sent before the worker starts, and the rate is that at which it gets through them; else ten at a time. */
  readonly fills: boolean;
  /** Resolves when the engine has it. */
  send(work: { readonly queue: string; readonly kind: Kind; readonly input: EngineInput }): Promise<Sent>;
  /** Resolves when the engine has all works of this queue completed. */
  settled(queue: string): Promise<void>;
  /** A worker said which works have ended. */
  heardEnds(keys: readonly string[]): void;
  close(): Promise<void>;
}

export interface Sent {
  /** For the engine, or, where that tells nobody, in its handler. Rejects where it failed. */
  readonly ended: Promise<unknown>;
  /** Where the engine can cancel work. */
  readonly cancelling?: Cancelling;
}

export interface Cancelling {
  /** Resolves when a worker has it and has given a sign of life. */
  running(): Promise<void>;
  cancel(): Promise<unknown>;
}

export interface EngineInput {
  /** Which one. */
  readonly n: number;
  readonly iterations: number;
  readonly seconds: number;
}

export interface EngineBench extends Bench {
  readonly load: Load;
}
