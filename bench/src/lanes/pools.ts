import { type Evidence, requireExactlyOnce } from '../ledger.ts';
import { neighbour } from '../neighbours.ts';
import { run } from '../runner.ts';
import { type Spread, spreadOf } from '../spread.ts';
import type { LanesSettings, SitedBench } from './run.ts';

/** Round trips of a no-op job in pools of threads or processes, without store and worker: Longshore's beside libraries. */
export interface PoolsSettings extends LanesSettings {
  readonly roundTrips: number;
}

export interface PoolsFigures {
  /** µs a job, by pool and by jobs in flight. */
  readonly microsPerJob: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
  /** Longshore's threads over piscina's as they come, by jobs in flight: of each round. */
  readonly threadsToPiscina: Readonly<Record<string, Spread>>;
  readonly runs: readonly PoolsRound[];
}

type PoolsRound = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Names of programs' settings in bench/rivals/lanes/pools.mjs. */
const OWN = 'longshore, threads';
const PISCINA = 'piscina';
const POOLS = [
  OWN,
  PISCINA,
  'longshore, processes',
  'piscina, atomics disabled',
  'tinypool, threads',
  'tinypool, processes',
  'workerpool, threads',
  'workerpool, processes',
] as const;

export const POOLS_STEPS = POOLS.length;
const IN_FLIGHT = [1, 16] as const;

interface PoolRun extends Evidence {
  readonly microsPerJob: Readonly<Record<string, number>>;
}

export async function measurePools(
  { hosts, roundTrips, sabotage }: PoolsSettings,
  { progress, signal }: SitedBench,
  part: string,
): Promise<PoolsRound> {
  const round: Record<string, Readonly<Record<string, number>>> = {};
  for (const pool of POOLS)
    round[pool] = await progress.step(`pool: ${pool} ${part}`, async () => {
      const settings = { pool, hosts, inFlight: IN_FLIGHT, jobs: roundTrips, warmup: roundTrips, sabotage };
      const options = { file: neighbour('bench/rivals/lanes/pools.mjs'), timeoutMs: 120_000, signal };
      const ran = await run<PoolRun>('pools', settings, options);
      requireExactlyOnce(`pool: ${pool}`, roundTrips * IN_FLIGHT.length, ran);
      return ran.microsPerJob;
    });
  return round;
}

export function summarizePools(runs: readonly PoolsRound[]): PoolsFigures {
  const by = (figure: (run: PoolsRound, inFlight: number) => number): Record<string, Spread> =>
    Object.fromEntries(
      IN_FLIGHT.map((inFlight) => [inFlight, spreadOf(runs, (run) => figure(run, inFlight))]),
    );
  const micros = (run: PoolsRound, pool: string, inFlight: number): number =>
    run[pool]?.[inFlight] ?? Number.NaN;
  return {
    microsPerJob: Object.fromEntries(
      POOLS.map((pool) => [pool, by((run, inFlight) => micros(run, pool, inFlight))]),
    ),
    threadsToPiscina: by((run, inFlight) => micros(run, OWN, inFlight) / micros(run, PISCINA, inFlight)),
    runs,
  };
}
