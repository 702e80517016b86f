import type { Bench, CommonSettings } from '../bench.ts';
import { neighbour } from '../neighbours.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import { installRivals } from '../rivals.ts';
import { run } from '../runner.ts';
import type { ServerRecord, SiteSettings } from '../site.ts';
import { type Spread, spread } from '../spread.ts';
import { spreadCells, table } from '../table.ts';

/**
 * The client libraries that a store could be built on, doing what a store does (bench/drivers). They take turns, each
 * in a process of its own. Behind docs/adr/0004-postgres-driver.md and 0005-redis-client.md.
 */
export interface DriversSettings extends CommonSettings, SiteSettings {
  readonly store: 'postgres' | 'redis';
  /** Part of the rounds to make, for a quick look. */
  readonly share: number;
}

export interface DriversFigures {
  readonly server: ServerRecord | null;
  /** By driver, then figure. */
  readonly drivers: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
  readonly runs: readonly DriversRound[];
}

type DriversRound = Readonly<Record<string, Readonly<Record<string, number>>>>;

const DRIVERS = {
  postgres: ['pg', 'pg, pipeline', 'postgres.js'],
  redis: ['@redis/client', 'ioredis'],
} as const;

export async function drivers(settings: DriversSettings, bench: Bench): Promise<DriversFigures> {
  await installRivals(bench.progress);
  return withSite(settings, bench, async (site) => {
    const { store, repeat, share } = settings;
    const { progress, signal } = bench;
    const file = neighbour(`bench/rivals/drivers/${store}.mjs`);
    const options = { timeoutMs: 300_000, signal, file, nodeArguments: ['--expose-gc', '--no-deprecation'] };
    const runs: DriversRound[] = [];
    progress.start(repeat * DRIVERS[store].length);
    for (let n = 1; n <= repeat; n += 1) {
      const round: Record<string, Record<string, number>> = {};
      for (const driver of DRIVERS[store])
        round[driver] = await progress.step(`${driver} ${n}/${repeat}`, () =>
          inFreshPlace(site, ({ server }) =>
            run<Record<string, number>>(driver, { driver, server, share }, options),
          ),
        );
      runs.push(round);
    }
    return { server: site.server, drivers: summarize(DRIVERS[store], runs), runs };
  });
}

function summarize(names: readonly string[], runs: readonly DriversRound[]): DriversFigures['drivers'] {
  return Object.fromEntries(
    names.map((name) => {
      const figures = Object.keys(runs[0]?.[name] ?? {});
      const over = (figure: string): Spread =>
        spread(runs.map(({ [name]: found }) => found?.[figure] ?? Number.NaN));
      return [name, Object.fromEntries(figures.map((figure) => [figure, over(figure)]))];
    }),
  );
}

export function driversTable({ drivers }: DriversFigures): string {
  const rows = [['', 'median', 'min', 'max']];
  const figures = Object.keys(Object.values(drivers)[0] ?? {});
  for (const figure of figures)
    for (const [name, found] of Object.entries(drivers))
      rows.push([`${figure}: ${name}`, ...spreadCells(found[figure], (value) => value.toPrecision(3))]);
  return table(rows);
}
