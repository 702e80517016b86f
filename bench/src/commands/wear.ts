import type { Bench, CommonSettings } from '../bench.ts';
import { burnProgram, CONTESTANTS, type Contestant } from '../contestants.ts';
import { addFinished, holdSnapshot, makeToday } from '../fill-postgres.ts';
import { type Evidence, requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { Phase } from '../phase.ts';
import { installRivals } from '../rivals.ts';
import { run } from '../runner.ts';
import type { Place, ServerPlace, ServerRecord, Site, SiteSettings } from '../site.ts';
import { round, type Spread, spread } from '../spread.ts';
import { formatRate, formatRatio, spreadCells, table } from '../table.ts';

/**
 * What wears a PostgreSQL queue down: millions of finished jobs, and a session that holds an old snapshot, so that no
 * dead row can be removed. Rates with and without, beside graphile-worker under the same snapshot; it keeps no finished
 * jobs, so there is nothing to compare for those.
 */
export interface WearSettings extends CommonSettings, SiteSettings {
  readonly jobs: number;
  readonly finished: number;
  readonly payload: number;
  readonly concurrency: number;
  readonly batch: number;
  readonly sabotage: Sabotage | null;
}

export interface WearFigures {
  readonly server: ServerRecord | null;
  /** Jobs a second, by condition. */
  readonly rates: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
  /** Worn over fresh, round by round: 1 is no wear. */
  readonly ratio: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
  readonly runs: readonly WearRound[];
  readonly checks: Readonly<Record<string, true>>;
}

type Condition = 'fresh' | 'finished' | 'snapshot';

interface Burn extends Evidence {
  readonly enqueue: Phase;
  readonly process: Phase;
}

/** By system, then condition. */
type WearRound = Readonly<Record<string, Readonly<Partial<Record<Condition, Burn>>>>>;

const SYSTEMS: readonly { readonly name: string; readonly conditions: readonly Condition[] }[] = [
  { name: 'longshore', conditions: ['fresh', 'finished', 'snapshot'] },
  { name: 'graphile-worker', conditions: ['fresh', 'snapshot'] },
];

export async function wear(settings: WearSettings, bench: Bench): Promise<WearFigures> {
  await installRivals(bench.progress);
  return withSite(settings, bench, (site) =>
    // Filled once: every round adds its own jobs, which are few beside it.
    inFreshPlace(site, async (full) => {
      const { progress, signal } = bench;
      const { repeat, finished } = settings;
      progress.start(1 + repeat * SYSTEMS.reduce((sum, { conditions }) => sum + conditions.length, 0));
      await progress.step(`filling in ${finished} finished jobs`, async () => {
        await prepare(full, signal);
        await addFinished(full.server as ServerPlace, finished);
      });
      const runs: WearRound[] = [];
      const parts = { settings, bench, site, full, there: finished };
      for (let n = 1; n <= repeat; n += 1) runs.push(await oneRound(parts, `${n}/${repeat}`));
      const checks = { executedOnce: true, completedInStore: true } as const;
      return { server: site.server, ...summarize(runs), runs, checks };
    }),
  );
}

interface Parts {
  readonly settings: WearSettings;
  readonly bench: Bench;
  readonly site: Site;
  /** The store with many finished jobs. */
  readonly full: Place;
  /** How many it has. */
  there: number;
}

async function oneRound(parts: Parts, part: string): Promise<WearRound> {
  const { bench, site, full, settings } = parts;
  const done: Record<string, Partial<Record<Condition, Burn>>> = {};
  for (const condition of ['fresh', 'finished', 'snapshot'] as const) {
    for (const { name, conditions } of SYSTEMS) {
      if (!conditions.includes(condition)) continue;
      const contestant = CONTESTANTS.postgres.find((one) => one.name === name) as Contestant;
      const burned = await bench.progress.step(`${name}, ${condition} ${part}`, async () => {
        if (condition !== 'finished')
          return inFreshPlace(site, (place) => burn(parts, contestant, place, condition === 'snapshot'));
        return withoutOld(await burn(parts, contestant, full, false), parts.there);
      });
      if (condition === 'finished') parts.there += settings.jobs;
      requireExactlyOnce(`${name}, ${condition}`, settings.jobs, burned);
      done[name] = { ...done[name], [condition]: burned };
    }
  }
  return done;
}

async function burn(
  { settings, bench }: Parts,
  contestant: Contestant,
  place: Place,
  pinned: boolean,
): Promise<Burn> {
  const { jobs, payload, concurrency, batch, sabotage } = settings;
  const { signal } = bench;
  if (contestant.rival === undefined) await prepare(place, signal);
  const letGo = pinned ? await holdSnapshot((place.server as ServerPlace).url) : null;
  try {
    // Without a warm-up: its dead rows would be wear already.
    const what = burnProgram(contestant, place, { jobs, payload, concurrency, batch, warmup: 0, sabotage });
    const timeoutMs = 120_000 + jobs * MS_PER_JOB_MAX;
    return await run<Burn>(what.name, what.settings, { ...what.options, timeoutMs, signal });
  } finally {
    await letGo?.();
  }
}

/** So that no maintenance of Longshore's begins while it is measured. */
async function prepare({ url, server }: Place, signal: AbortSignal): Promise<void> {
  await run('keep-all', { url }, { timeoutMs: 60_000, signal });
  await makeToday(server as ServerPlace);
}

/** Slower than this means stuck. */
const MS_PER_JOB_MAX = 5;

/** Counts of the jobs of this run alone. */
function withoutOld(burned: Burn, there: number): Burn {
  const { completed = 0, ...others } = burned.counts;
  return { ...burned, counts: { ...others, completed: completed - there } };
}

function summarize(runs: readonly WearRound[]): Pick<WearFigures, 'rates' | 'ratio'> {
  const rates: Record<string, Record<string, Spread>> = {};
  const ratio: Record<string, Record<string, Spread>> = {};
  for (const { name, conditions } of SYSTEMS) {
    const rate = (condition: Condition): number[] =>
      runs.map(({ [name]: burns }) => burns?.[condition]?.process.perSecond ?? Number.NaN);
    const fresh = rate('fresh');
    rates[name] = Object.fromEntries(conditions.map((condition) => [condition, spread(rate(condition))]));
    ratio[name] = Object.fromEntries(
      conditions
        .filter((condition) => condition !== 'fresh')
        .map((condition) => [
          condition,
          spread(rate(condition).map((worn, n) => round(worn / (fresh[n] ?? Number.NaN)))),
        ]),
    );
  }
  return { rates, ratio };
}

export function wearTable({ rates, ratio }: WearFigures): string {
  const rows = [['process, jobs/s', 'median', 'min', 'max', 'worn / fresh', 'min', 'max']];
  for (const [system, conditions] of Object.entries(rates)) {
    for (const [condition, found] of Object.entries(conditions)) {
      const worn = ratio[system]?.[condition];
      rows.push([
        `${system}, ${condition}`,
        ...spreadCells(found, formatRate),
        ...(worn === undefined ? [] : spreadCells(worn, formatRatio)),
      ]);
    }
  }
  return table(rows);
}
