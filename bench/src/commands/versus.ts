import type { Bench, CommonSettings } from '../bench.ts';
import {
  type ApartStrategy,
  type BurnSettings,
  burnProgram,
  CONTESTANTS,
  type Contestant,
  contestantsApart,
  counterpart,
} from '../contestants.ts';
import { type Evidence, requireExactlyOnce } from '../ledger.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { Phase } from '../phase.ts';
import { measureQueuedBytes, type QueuedBytes } from '../queued-bytes.ts';
import { installRivals } from '../rivals.ts';
import { start } from '../runner.ts';
import type { ServerRecord, Site, SiteSettings } from '../site.ts';
import { round, type Spread, spread } from '../spread.ts';
import { formatRate, formatRatio, spreadCells, table } from '../table.ts';

/**
 * Longshore beside other job systems on the same server: the same jobs, concurrency and durability, the same retention
 * wherever it can be set. The systems take turns (A B C A B C), each in a process and a store of its own.
 */
export interface VersusSettings extends CommonSettings, SiteSettings, BurnSettings {
  readonly store: 'postgres' | 'redis';
  /** Names out of CONTESTANTS; default: all of the store. */
  readonly systems?: readonly string[];
  /** Redis: handlers in threads or processes, beside BullMQ's sandboxed processors; as many as `concurrency`. */
  readonly strategy?: ApartStrategy;
  /** Redis: queued jobs whose memory is measured; 0: none. */
  readonly queued: number;
}

export interface VersusFigures {
  readonly server: ServerRecord | null;
  readonly systems: Readonly<Record<string, SystemFigures>>;
  /** Longshore, with the rival's retention where it has it, over each rival: medians of the ratios of each round. */
  readonly ratio: Readonly<Record<string, { readonly enqueue: Spread; readonly process: Spread }>>;
  /** On Redis. */
  readonly queuedBytes: QueuedBytes | null;
  readonly runs: readonly Round[];
  readonly checks: Readonly<Record<string, true>>;
}

interface SystemFigures {
  readonly note: string;
  readonly enqueuePerSecond: Spread;
  readonly processPerSecond: Spread;
  /** Processor time of the client's process while it worked. */
  readonly processCpuMicrosPerJob: Spread;
}

interface Burn extends Evidence {
  readonly enqueue: Phase;
  readonly process: Phase;
}

type Round = Readonly<Record<string, Burn>>;

export async function versus(settings: VersusSettings, bench: Bench): Promise<VersusFigures> {
  const contestants = chosen(settings);
  await installRivals(bench.progress);
  return withSite(settings, bench, async (site) => {
    const { repeat, queued, store } = settings;
    const runs: Round[] = [];
    const weighed = store === 'redis' && queued > 0 && settings.strategy === undefined;
    bench.progress.start(repeat * contestants.length + (weighed ? 2 : 0));
    for (let n = 1; n <= repeat; n += 1) {
      const round: Record<string, Burn> = {};
      for (const one of contestants)
        round[one.name] = await burn(one, settings, { ...bench, site, part: `${n}/${repeat}` });
      runs.push(round);
    }
    const queuedBytes = weighed ? await measureQueuedBytes(settings, site, bench) : null;
    const checks = { executedOnce: true, completedInStore: true } as const;
    return { server: site.server, ...summarize(contestants, runs), queuedBytes, runs, checks };
  });
}

function chosen({ store, systems, strategy }: VersusSettings): readonly Contestant[] {
  if (strategy !== undefined && store !== 'redis')
    throw new Error('--strategy compares with BullMQ: use it with --store redis');
  const all = strategy === undefined ? CONTESTANTS[store] : contestantsApart(strategy);
  for (const name of systems ?? [])
    if (!all.some((one) => one.name === name))
      throw new Error(
        `There is no system ${JSON.stringify(name)}; on ${store} there are: ${all.map((one) => JSON.stringify(one.name)).join(', ')}.`,
      );
  return systems === undefined ? all : all.filter(({ name }) => systems.includes(name));
}

function burn(
  contestant: Contestant,
  { jobs, payload, concurrency, batch, warmup, sabotage }: VersusSettings,
  { site, workspace, progress, signal, part }: Bench & { readonly site: Site; readonly part: string },
): Promise<Burn> {
  const marksFile = workspace.freshFile();
  return progress.step(`${contestant.name} ${part}`, () =>
    inFreshPlace(site, async (place) => {
      const burning: BurnSettings = { jobs, payload, concurrency, batch, warmup, sabotage };
      const { name, settings, options } = burnProgram(contestant, place, burning, marksFile);
      const timeoutMs = 120_000 + (jobs + warmup) * MS_PER_JOB_MAX;
      const program = start<Burn>(name, settings, { ...options, timeoutMs, signal });
      // Longshore's lanes wait for this, since other processes may have to start with them; here there are none.
      program.tell('go');
      const burned = await program.result;
      requireExactlyOnce(contestant.name, jobs, burned);
      return burned;
    }),
  );
}

/** Slower than this means stuck. */
const MS_PER_JOB_MAX = 3;

function summarize(
  contestants: readonly Contestant[],
  runs: readonly Round[],
): Pick<VersusFigures, 'systems' | 'ratio'> {
  const over = (name: string, figure: (burn: Burn) => number): number[] =>
    runs.flatMap(({ [name]: burn }) => (burn === undefined ? [] : [figure(burn)]));
  const rate = (phase: 'enqueue' | 'process') => (burn: Burn) => burn[phase].perSecond;
  const systems: Record<string, SystemFigures> = {};
  const ratio: Record<string, { enqueue: Spread; process: Spread }> = {};
  for (const contestant of contestants) {
    const { name, note } = contestant;
    systems[name] = {
      note,
      enqueuePerSecond: spread(over(name, rate('enqueue'))),
      processPerSecond: spread(over(name, rate('process'))),
      processCpuMicrosPerJob: spread(over(name, ({ process }) => process.cpuMicrosPerJob)),
    };
    const own = contestant.rival === undefined ? undefined : counterpart(contestants, contestant);
    if (own === undefined) continue;
    const times = (phase: 'enqueue' | 'process'): Spread => {
      const theirs = over(name, rate(phase));
      return spread(over(own.name, rate(phase)).map((ours, n) => round(ours / (theirs[n] ?? Number.NaN))));
    };
    ratio[name] = { enqueue: times('enqueue'), process: times('process') };
  }
  return { systems, ratio };
}

export function versusTable({ systems, ratio, queuedBytes }: VersusFigures): string {
  const rows = [['', 'median', 'min', 'max', "Longshore's, times", 'min', 'max']];
  for (const phase of ['enqueue', 'process'] as const) {
    for (const [name, figures] of Object.entries(systems)) {
      const times = ratio[name] === undefined ? [] : spreadCells(ratio[name][phase], formatRatio);
      const rates = spreadCells(figures[`${phase}PerSecond`], formatRate);
      rows.push([`${phase}, jobs/s: ${name}`, ...rates, ...times]);
    }
  }
  for (const [name, bytes] of Object.entries(queuedBytes?.bytesPerJob ?? {}))
    rows.push([`bytes a queued job: ${name}`, formatRate(bytes)]);
  const notes = Object.entries(systems).map(([name, { note }]) => `${name}: ${note}.`);
  return [table(rows), ...notes].join('\n');
}
