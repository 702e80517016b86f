import type { Bench, CommonSettings } from '../bench.ts';
import { type DurationSummary, Durations } from '../histogram.ts';
import { CheckFailed, requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { monotonicMs } from '../pacer.ts';
import type { CommitCostRun, CommitCostSettings } from '../programs/commit-cost.ts';
import type { LatencySettings as ProgramSettings, SendReport, WorkReport } from '../programs/latency.ts';
import { type Program, run, start } from '../runner.ts';
import { round, type Spread, spreadOf } from '../spread.ts';
import { formatMs, table } from '../table.ts';

/**
 * How long a job waits for its handler when the queue is never full: open loop, from the intended send time to the
 * start of the handler, in one process and across two, beside the cost of one bare commit on the same disk.
 */
export interface LatencySettings extends CommonSettings {
  readonly store: 'memory' | 'sqlite';
  /** Jobs a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Before the measured time, at the same rate; these jobs are checked but not timed. */
  readonly warmup: number;
  readonly processes: '1' | '2' | 'both';
  readonly concurrency: number;
  readonly sabotage: Sabotage | null;
}

/** Milliseconds; where several runs were made, the median of each figure. */
export interface LatencyFigures {
  readonly unit: 'ms';
  /** From the intended send time to the start of the handler. */
  readonly pickup: ByProcesses<DurationSummary>;
  /** From the intended send time to the acknowledgement of the enqueue. */
  readonly acknowledgement: ByProcesses<DurationSummary>;
  /** How late the sender itself was; it is part of both figures above. */
  readonly senderLate: ByProcesses<DurationSummary>;
  /** One row inserted and committed by hand, at the same rate. Null for a store that commits nothing. */
  readonly commit: DurationSummary | null;
  /** Pickup's p99 less the commit's. */
  readonly pickupP99OverCommit: ByProcesses<number> | null;
  /** Of the p50 and p99 over the runs. */
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly LatencyRun[];
  readonly checks: Readonly<Record<string, true>>;
}

interface ByProcesses<Figure> {
  readonly oneProcess: Figure | null;
  readonly twoProcesses: Figure | null;
}

interface Measured {
  readonly pickup: Timing;
  readonly acknowledgement: Timing;
  readonly senderLate: Timing;
}

interface Timing extends DurationSummary {
  /** HdrHistogram, compressed V2, base64, µs. */
  readonly histogram: string;
}

interface LatencyRun {
  readonly oneProcess: Measured | null;
  readonly twoProcesses: Measured | null;
  readonly commit: Timing | null;
}

export async function latency(settings: LatencySettings, bench: Bench): Promise<LatencyFigures> {
  const { store, processes, repeat } = settings;
  if (store === 'memory' && processes !== '1')
    throw new Error('the memory store lives in one process: use --processes 1, or --store sqlite');
  const runs: LatencyRun[] = [];
  bench.progress.start(repeat * ((processes === 'both' ? 2 : 1) + (store === 'memory' ? 0 : 2)));
  for (let n = 1; n <= repeat; n += 1) runs.push(await measure(settings, bench, `${n}/${repeat}`));
  return summarize(runs);
}

async function measure(settings: LatencySettings, bench: Bench, part: string): Promise<LatencyRun> {
  const { store, processes } = settings;
  const bare = store === 'memory' ? async () => [] : () => commits(settings, bench, part);
  const before = await bare();
  const one =
    processes === '2' ? null : await inFreshStore(settings, bench, `one process ${part}`, oneProcess);
  const two =
    processes === '1' ? null : await inFreshStore(settings, bench, `two processes ${part}`, twoProcesses);
  const after = await bare();
  const commit = store === 'memory' ? null : timing([...before, ...after]);
  return { oneProcess: one, twoProcesses: two, commit };
}

type Reports = readonly [SendReport, WorkReport];

async function inFreshStore(
  settings: LatencySettings,
  { workspace, progress, signal }: Bench,
  step: string,
  send: (base: Omit<ProgramSettings, 'role'>, options: Limits) => Promise<Reports>,
): Promise<Measured> {
  const { store, rate, seconds, warmup, concurrency, sabotage } = settings;
  const file = workspace.freshFile();
  const unmeasured = Math.round(rate * warmup);
  const jobs = unmeasured + Math.round(rate * seconds);
  const url = store === 'memory' ? 'memory:' : `sqlite:${file}`;
  const limits = { timeoutMs: (seconds + warmup) * 3_000 + 60_000, signal };
  const [sent, worked] = await progress.step(step, () =>
    send({ url, rate, jobs, concurrency, sabotage }, limits),
  );
  workspace.drop(file);
  requireExactlyOnce(step, jobs, worked);
  return {
    pickup: timing(worked.pickupMs.subarray(unmeasured)),
    acknowledgement: timing(sent.ackMs.subarray(unmeasured)),
    senderLate: timing(sent.lateMs.subarray(unmeasured)),
  };
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Result {
  readonly sent: SendReport | null;
  readonly worked: WorkReport | null;
}

async function oneProcess(base: Omit<ProgramSettings, 'role'>, limits: Limits): Promise<Reports> {
  const both = start<Result>('latency', { ...base, role: 'both' } satisfies ProgramSettings, limits);
  await both.heard('ready');
  both.tell('go');
  const { sent, worked } = await both.result;
  return [sent as SendReport, worked as WorkReport];
}

async function twoProcesses(base: Omit<ProgramSettings, 'role'>, limits: Limits): Promise<Reports> {
  // When one of them fails, the other is of no use.
  const failed = new AbortController();
  const options = { ...limits, signal: AbortSignal.any([limits.signal, failed.signal]) };
  try {
    const worker = start<Result>('latency', { ...base, role: 'worker' } satisfies ProgramSettings, options);
    const sender = start<Result>('latency', { ...base, role: 'sender' } satisfies ProgramSettings, options);
    await Promise.all([worker.heard('ready'), sender.heard('ready')]);
    await requireSameClock([worker, sender]);
    sender.tell('go');
    const [{ worked }, { sent }] = await Promise.all([worker.result, sender.result]);
    return [sent as SendReport, worked as WorkReport];
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

/** Latencies across processes are differences of two processes' clocks: those must be one clock. */
async function requireSameClock(programs: readonly Program<Result>[]): Promise<void> {
  for (const program of programs) {
    const before = monotonicMs();
    program.tell('time');
    const theirs = (await program.heard('time')) as number;
    const after = monotonicMs();
    if (theirs < before || theirs > after)
      throw new CheckFailed(
        `The monotonic clocks of two processes differ: ${theirs} ms is not between ${before} and ${after} ms. No figures are given.`,
      );
  }
}

/** Half of them before and half after what they are compared with. */
async function commits(
  { rate, seconds }: LatencySettings,
  { workspace, progress, signal }: Bench,
  part: string,
): Promise<number[]> {
  const file = workspace.freshFile();
  const settings: CommitCostSettings = { file, rate, commits: Math.max(1, Math.round((rate * seconds) / 2)) };
  const timeoutMs = seconds * 3_000 + 60_000;
  const { commitMs } = await progress.step(`bare commits ${part}`, () =>
    run<CommitCostRun>('commit-cost', settings, { timeoutMs, signal }),
  );
  workspace.drop(file);
  return [...commitMs];
}

function timing(valuesMs: Iterable<number>): Timing {
  const durations = new Durations(valuesMs);
  if (durations.negative > 0)
    throw new CheckFailed(
      `${durations.negative} durations are negative, so a clock went backwards. No figures are given.`,
    );
  return { ...durations.summary(), histogram: durations.encoded() };
}

const KINDS = ['pickup', 'acknowledgement', 'senderLate'] as const;
const WHERE = ['oneProcess', 'twoProcesses'] as const;

function summarize(runs: readonly LatencyRun[]): LatencyFigures {
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
  const beyond = (summary: DurationSummary | null): number | null =>
    summary === null || commit === null ? null : round(summary.p99 - commit.p99);
  return {
    unit: 'ms',
    pickup,
    acknowledgement,
    senderLate,
    commit,
    pickupP99OverCommit:
      commit === null
        ? null
        : { oneProcess: beyond(pickup.oneProcess), twoProcesses: beyond(pickup.twoProcesses) },
    spread: spreads,
    runs,
    checks: { executedOnce: true, completedInStore: true, clocksAgree: true },
  };
}

type Kind = ByProcesses<DurationSummary>;

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

export function latencyTable({ pickup, acknowledgement, senderLate, commit }: LatencyFigures): string {
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
  ]);
  return `${lines}\nFrom the intended send time. ~ fewer than ten samples lie beyond this percentile.`;
}
