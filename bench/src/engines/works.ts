import { setTimeout as wait } from 'node:timers/promises';
import { compute, seedOf } from '../workloads/computation.ts';
import type { EngineInput } from './engine.ts';

/** What works do, the same for every worker. */

export function echo(input: EngineInput): EngineInput {
  return input;
}

export function work({ n, iterations }: EngineInput): number {
  return compute(seedOf(n), iterations);
}

/** Computes, then waits for four times as long: load that a tuner can share out finely. */
export async function mixed({ n, iterations }: EngineInput): Promise<number> {
  const began = performance.now();
  const result = compute(seedOf(n), Math.ceil(iterations / MIXED_PARTS));
  await wait(4 * (performance.now() - began));
  return result;
}

/** 30 ms, where a work that computes takes 150. */
const MIXED_PARTS = 5;

/** Holds its thread for so many seconds, and says all the while that it is alive. */
export function block({ n, seconds }: EngineInput, heartbeat: () => void): number {
  const until = performance.now() + seconds * 1_000;
  let value = seedOf(n);
  while (performance.now() < until) {
    value = compute(value, BETWEEN_BEATS);
    heartbeat();
  }
  return n;
}

const BETWEEN_BEATS = 10_000_000;
