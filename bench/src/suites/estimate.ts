import { availableParallelism } from 'node:os';
import type { Scenario } from '../scenarios/scenario.ts';

/**
 * How long scenarios will take, from the work in them: what is known before anything ran. Once some ran, how long those
 * took compared with their own estimates corrects the rest, so that a slow machine is noticed after the first one.
 */
export function secondsLeft(
  done: readonly Scenario[],
  elapsedSeconds: number,
  left: readonly Scenario[],
): number {
  const correction = done.length === 0 ? 1 : elapsedSeconds / estimate(done);
  return estimate(left) * correction;
}

function estimate(scenarios: readonly Scenario[]): number {
  return scenarios.reduce((sum, scenario) => sum + secondsOf(scenario), 0);
}

export function secondsOf(scenario: Scenario, cores = availableParallelism()): number {
  const { jobs, concurrency, workSeconds, repeats } = scenario;
  const atOnce = Math.min(jobs, concurrency, coresUsed(scenario, cores));
  return repeats * (START_SECONDS + (jobs * workSeconds) / atOnce);
}

/** Processes and stores that start, apart from the work. */
const START_SECONDS = 1;

/** Computing on the event loop is done by one core, and writing, by a disk that several writers share, takes no less. */
function coresUsed({ strategy, workload }: Scenario, cores: number): number {
  if (workload === 'io' || (workload === 'cpu' && strategy === 'async')) return 1;
  return cores;
}
