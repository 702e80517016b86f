import type { Bench, CommonSettings } from '../bench.ts';
import type { DurationSummary } from '../histogram.ts';
import type { Sabotage } from '../ledger.ts';
import {
  type Measured,
  measureHandover,
  measureLoop,
  type OpenLoop,
  type Timing,
  timing,
} from '../open-loop.ts';
import { inFreshPlace, onServer, withSite } from '../open-site.ts';
import type { CommitCostRun, CommitCostSettings } from '../programs/commit-cost.ts';
import { installRivals, RIVALS, rivalFile } from '../rivals.ts';
import { run } from '../runner.ts';
import type { ServerRecord, Site, SiteSettings } from '../site.ts';
import { round, type Spread, spreadOf } from '../spread.ts';
import { formatMs, table } from '../table.ts';

/**
 * How long a job waits for its handler when the queue is never full: open loop, from the intended send time to the
 * start of the handler, in one process and across two, beside the cost of one bare commit on the same disk, or on a
 * server, of one bare commit with a notification that another process hears.
 */
export interface LatencySettings extends CommonSettings, SiteSettings {
  /** Jobs a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Before the measured time, at the same rate, also of what is compared with; checked but not timed. */
  readonly warmup: number;
  readonly processes: '1' | '2' | 'both';
  /** Also other systems, on the same server, each with its sender and its worker in two processes. */
  readonly rivals?: boolean;
  readonly concurrency: number;
  readonly sabotage: Sabotage | null;
}

/** Milliseconds; where several runs were made, the median of each figure. */
export interface LatencyFigures {
  readonly server: ServerRecord | null;
  readonly unit: 'ms';
  /** From the intended send time to the start of the handler. */
  readonly pickup: ByProcesses<DurationSummary>;
  /** From the intended send time to the acknowledgement of the enqueue. */
  readonly acknowledgement: ByProcesses<DurationSummary>;
  /** How late the sender itself was; it is part of both figures above. */
  readonly senderLate: ByProcesses<DurationSummary>;
  /** One row inserted and committed by hand, at the same rate. Null for a store that commits nothing, and on servers. */
  readonly commit: DurationSummary | null;
  /** Pickup's p99 less the commit's. */
  readonly pickupP99OverCommit: ByProcesses<number> | null;
  /** One row inserted by hand with a notification, until another process hears it, at the same rate. Null but on servers. */
  readonly handover: DurationSummary | null;
  /** Pickup across two processes over that, by percentile: medians of the ratios of each run. */
  readonly pickupToHandover: Readonly<Record<'p50' | 'p95' | 'p99', number>> | null;
  /** Pickup of other systems across two processes. */
  readonly rivals: Readonly<Record<string, DurationSummary>>;
  /** Of the p50 and p99 over the runs. */
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly LatencyRun[];
  readonly checks: Readonly<Record<string, true>>;
}

interface ByProcesses<Figure> {
  readonly oneProcess: Figure | null;
  readonly twoProcesses: Figure | null;
}

interface LatencyRun {
  readonly oneProcess: Measured | null;
  readonly twoProcesses: Measured | null;
  readonly commit: Timing | null;
  readonly handover: Timing | null;
  readonly rivals: Readonly<Record<string, Measured>>;
}

export async function latency(settings: LatencySettings, bench: Bench): Promise<LatencyFigures> {
  const { store, processes, repeat } = settings;
  if (store === 'memory' && processes !== '1')
    throw new Error('the memory store lives in one process: use --processes 1, or --store sqlite');
  if (settings.rivals) {
    if (rivalsOf(settings).length === 0) throw new Error('--rivals needs --store postgres or redis');
    await installRivals(bench.progress);
  }
  return withSite(settings, bench, async (site) => {
    const runs: LatencyRun[] = [];
    const steps = (processes === 'both' ? 2 : 1) + (store === 'memory' ? 0 : 2) + rivalsOf(settings).length;
    bench.progress.start(repeat * steps);
    for (let n = 1; n <= repeat; n += 1)
      runs.push(await measure(settings, { ...bench, site }, `${n}/${repeat}`));
    return summarize(site, runs);
  });
}

type SitedBench = Bench & { readonly site: Site };

function rivalsOf({ store, rivals = false }: LatencySettings): readonly string[] {
  return rivals && (store === 'postgres' || store === 'redis') ? RIVALS[store] : [];
}

/** What is compared with lies half before and half after. */
async function measure(settings: LatencySettings, bench: SitedBench, part: string): Promise<LatencyRun> {
  const { store, processes } = settings;
  const bare = store === 'memory' ? null : onServer(store) ? handovers : commits;
  const before = (await bare?.(settings, bench, part)) ?? [];
  const one = processes === '2' ? null : await loop(settings, bench, { name: `one process ${part}` }, 1);
  const two = processes === '1' ? null : await loop(settings, bench, { name: `two processes ${part}` }, 2);
  const rivals: Record<string, Measured> = {};
  for (const rival of rivalsOf(settings))
    rivals[rival] = await loop(settings, bench, { name: `${rival} ${part}`, file: rivalFile(rival) }, 2);
  const after = (await bare?.(settings, bench, part)) ?? [];
  const compared = bare === null ? null : timing([...before, ...after]);
  const [commit, handover] = onServer(store) ? [null, compared] : [compared, null];
  return { oneProcess: one, twoProcesses: two, commit, handover, rivals };
}

function loop(
  settings: LatencySettings,
  { site, progress, signal }: SitedBench,
  what: Pick<OpenLoop, 'name' | 'file'>,
  processes: 1 | 2,
): Promise<Measured> {
  const { rate, seconds, warmup, concurrency, sabotage } = settings;
  return progress.step(what.name, () =>
    inFreshPlace(site, (place) =>
      measureLoop({ ...what, place, rate, seconds, warmup, concurrency, sabotage, signal }, processes),
    ),
  );
}

async function commits(
  settings: LatencySettings,
  { site, progress, signal }: SitedBench,
  part: string,
): Promise<Iterable<number>> {
  const { rate, seconds, warmup } = settings;
  const [unmeasured, commits] = bareCounts(settings);
  const timeoutMs = (seconds + warmup) * 3_000 + 60_000;
  const { commitMs } = await progress.step(`bare commits ${part}`, () =>
    inFreshPlace(site, ({ url, server }) => {
      const settings: CommitCostSettings = { url, server, rate, commits: unmeasured + commits };
      return run<CommitCostRun>('commit-cost', settings, { timeoutMs, signal });
    }),
  );
  return commitMs.subarray(unmeasured);
}

async function handovers(
  settings: LatencySettings,
  { site, progress, signal }: SitedBench,
  part: string,
): Promise<Iterable<number>> {
  const { rate, seconds, warmup } = settings;
  const [unmeasured, count] = bareCounts(settings);
  const heardMs = await progress.step(`bare commits with a notification ${part}`, () =>
    inFreshPlace(site, (place) =>
      measureHandover({ place, rate, seconds: seconds + warmup, signal }, unmeasured + count),
    ),
  );
  return heardMs.subarray(unmeasured);
}

/** Of each half of what is compared with: as many are not timed as of the jobs. */
function bareCounts({ rate, seconds, warmup }: LatencySettings): [unmeasured: number, timed: number] {
  return [Math.round(rate * warmup), Math.max(1, Math.round((rate * seconds) / 2))];
}

const KINDS = ['pickup', 'acknowledgement', 'senderLate'] as const;
const WHERE = ['oneProcess', 'twoProcesses'] as const;

function summarize({ server }: Site, runs: readonly LatencyRun[]): LatencyFigures {
  const spreads: Record<string, Spread> = {};
  const over = (name: string, timings: readonly (Timing | null | undefined)[]): DurationSummary | null => {
    const found = timings.filter((one) => one != null);
    if (found.length === 0) return null;
    for (const figure of ['p50', 'p99'] as const)
      spreads[`${name}.${figure}`] = spreadOf(found, (one) => one[figure]);
    return medianSummary(found);
  };
  const byProcesses = (kind: (typeof KINDS)[number]): ByProcesses<DurationSummary> => {
    const [oneProcess, twoProcesses] = WHERE.map((where) =>
      over(
        `${kind}.${where}`,
        runs.map((run) => run[where]?.[kind]),
      ),
    );
    return { oneProcess: oneProcess ?? null, twoProcesses: twoProcesses ?? null };
  };
  const [pickup, acknowledgement, senderLate] = KINDS.map(byProcesses) as [Kind, Kind, Kind];
  const commit = over(
    'commit',
    runs.map((run) => run.commit),
  );
  const handover = over(
    'handover',
    runs.map((run) => run.handover),
  );
  const rivals: Record<string, DurationSummary> = {};
  for (const rival of Object.keys(runs[0]?.rivals ?? {})) {
    const found = over(
      `rivals.${rival}`,
      runs.map((run) => run.rivals[rival]?.pickup),
    );
    if (found !== null) rivals[rival] = found;
  }
  const beyond = (summary: DurationSummary | null): number | null =>
    summary === null || commit === null ? null : round(summary.p99 - commit.p99);
  return {
    server,
    unit: 'ms',
    pickup,
    acknowledgement,
    senderLate,
    commit,
    pickupP99OverCommit:
      commit === null
        ? null
        : { oneProcess: beyond(pickup.oneProcess), twoProcesses: beyond(pickup.twoProcesses) },
    handover,
    pickupToHandover: toHandover(runs, spreads),
    rivals,
    spread: spreads,
    runs,
    checks: { executedOnce: true, completedInStore: true, clocksAgree: true },
  };
}

type Kind = ByProcesses<DurationSummary>;

/** Medians of the ratios of each run: what is compared lies side by side there. */
function toHandover(
  runs: readonly LatencyRun[],
  spreads: Record<string, Spread>,
): LatencyFigures['pickupToHandover'] {
  const pairs = runs.flatMap(({ twoProcesses, handover }) =>
    twoProcesses === null || handover === null ? [] : [{ pickup: twoProcesses.pickup, handover }],
  );
  if (pairs.length === 0) return null;
  const over = (name: 'p50' | 'p95' | 'p99'): number => {
    const spread = spreadOf(pairs, ({ pickup, handover }) => round(pickup[name] / handover[name]));
    spreads[`pickupToHandover.${name}`] = spread;
    return spread.median;
  };
  return { p50: over('p50'), p95: over('p95'), p99: over('p99') };
}

function medianSummary(summaries: readonly DurationSummary[]): DurationSummary {
  const median = (figure: 'samples' | 'mean' | 'p50' | 'p95' | 'p99' | 'p999' | 'max'): number =>
    spreadOf(summaries, (one) => one[figure]).median;
  return {
    samples: median('samples'),
    mean: median('mean'),
    p50: median('p50'),
    p95: median('p95'),
    p99: median('p99'),
    p999: median('p999'),
    max: median('max'),
    weak: summaries[0]?.weak ?? [],
  };
}

export function latencyTable(figures: LatencyFigures): string {
  const { pickup, acknowledgement, senderLate, commit, handover, rivals } = figures;
  const row = (label: string, summary: DurationSummary | null): string[][] => {
    if (summary === null) return [];
    const cells = (['p50', 'p95', 'p99', 'p999', 'max'] as const).map(
      (name) => `${summary.weak.includes(name) ? '~' : ''}${formatMs(summary[name])}`,
    );
    return [[label, ...cells, String(summary.samples)]];
  };
  const lines = table([
    ['ms', 'p50', 'p95', 'p99', 'p99.9', 'max', 'samples'],
    ...row('pickup, one process', pickup.oneProcess),
    ...row('pickup, two processes', pickup.twoProcesses),
    ...row('acknowledgement, one process', acknowledgement.oneProcess),
    ...row('acknowledgement, two processes', acknowledgement.twoProcesses),
    ...row('of these, sender late, one process', senderLate.oneProcess),
    ...row('of these, sender late, two processes', senderLate.twoProcesses),
    ...row('a bare commit', commit),
    ...row('a bare commit with a notification, two processes', handover),
    ...Object.entries(rivals).flatMap(([name, summary]) => row(`pickup of ${name}, two processes`, summary)),
  ]);
  return `${lines}\nFrom the intended send time. ~ fewer than ten samples lie beyond this percentile.`;
}
