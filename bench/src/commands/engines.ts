import type { Bench, CommonSettings } from '../bench.ts';
import {
  type EngineBench,
  type EngineName,
  type EnginesPart,
  type Load,
  SIDES,
  type Side,
} from '../engines/engine.ts';
import {
  type Blocked,
  blocked,
  cancelled,
  computing,
  type MeasureSettings,
  type Throughput,
  throughput,
  tuned,
} from '../engines/measure.ts';
import { operatonLoad } from '../engines/operaton.ts';
import { temporalLoad } from '../engines/temporal.ts';
import { type Ratio, ratioOf } from '../kit/ratio.ts';
import { bareRate } from '../lanes/cpu.ts';
import type { Calibration } from '../programs/calibrate.ts';
import { installRivals } from '../rivals.ts';
import { run } from '../runner.ts';
import { type OwnServer, startEngine } from '../services.ts';
import { round, type Spread, spread } from '../spread.ts';
import { formatMs, formatRate, formatRatio, table } from '../table.ts';

/** Workers of workflow engines: the engine's own and ours, on the same server in each round, and what of the machine ours puts to use. */
export interface EnginesSettings extends CommonSettings, Omit<MeasureSettings, 'engine' | 'iterations'> {
  readonly engine: EngineName;
  readonly parts: readonly EnginesPart[];
  readonly cores: number;
  readonly url?: string;
}

type Sided<Value> = Readonly<Record<Side, Value>>;

/** `ratio`: ours over the engine's own. */
type Compared = Ratio & Sided<Spread>;

/** A part that was not asked for is null; so is the tuner of a worker that has none. */
export interface EnginesFigures {
  readonly server: string;
  readonly throughput: Compared | null;
  readonly p95: Compared | null;
  /** Processor time of the worker for each work, ms. */
  readonly cpuMsPerWork: Compared | null;
  readonly blocked: Sided<Blocked> | null;
  /** From a cancel to the end of code that listens to nothing, ms. */
  readonly cancelMs: number | null;
  /** Of what plain processes do on as many cores, what works that compute do in ours; the median. */
  readonly cpuShare: number | null;
  readonly cpuShares: Spread | null;
  readonly tuner: { readonly targetCpu: number; readonly own: number | null; readonly ours: number } | null;
  readonly checks: { readonly completed: true };
}

export async function engines(settings: EnginesSettings, bench: Bench): Promise<EnginesFigures> {
  const { engine, url, repeat, parts } = settings;
  const wanted = (part: EnginesPart): boolean => parts.includes(part);
  const own: OwnServer | null = url === undefined ? await startEngine(engine) : null;
  let load: Load | null = null;
  try {
    load = await loadOf(engine, own?.url ?? (url as string));
    if (engine === 'operaton') await installRivals(bench.progress);
    const sent: EngineBench = { ...bench, load };
    const measured: MeasureSettings = { ...settings, iterations: await iterationsOf(bench) };
    bench.progress.start(stepsOf(settings));
    const rounds: Sided<Throughput>[] = [];
    const shares: number[] = [];
    for (let n = 1; n <= repeat; n += 1) {
      const step = <T>(what: string, act: () => Promise<T>): Promise<T> =>
        bench.progress.step(`${what} ${n}/${repeat}`, act);
      if (wanted('throughput'))
        rounds.push(
          await both(n, (side) => step(`throughput, ${side}`, () => throughput(measured, side, sent))),
        );
      if (wanted('cpu')) shares.push(await step('computing', () => shareOf(measured, settings, sent)));
    }
    const cpuShares = shares.length === 0 ? null : spread(shares);
    return {
      server: load.server,
      throughput: compared(rounds, ({ perSecond }) => perSecond),
      p95: compared(rounds, ({ p95Ms }) => p95Ms),
      cpuMsPerWork: compared(rounds, ({ cpuMsPerWork }) => cpuMsPerWork),
      blocked: wanted('blocked')
        ? await both(1, (side) =>
            bench.progress.step(`blocked, ${side}`, () => blocked(measured, side, sent)),
          )
        : null,
      cancelMs: wanted('cancel')
        ? await bench.progress.step('cancel', () => cancelled(measured, sent))
        : null,
      cpuShare: cpuShares?.median ?? null,
      cpuShares,
      tuner: wanted('tuner') ? await tunerFigures(measured, sent) : null,
      checks: { completed: true },
    };
  } finally {
    await load?.close();
    await own?.stop();
  }
}

async function loadOf(engine: EngineName, url: string): Promise<Load> {
  try {
    return await (engine === 'temporal' ? temporalLoad(url) : operatonLoad(url));
  } catch (error) {
    const expected = engine === 'temporal' ? 'host:port' : 'http://host:port/engine-rest';
    throw new Error(
      `no ${engine} answers at ${url} (${reasonOf(error)}); give --url as ${expected}, or leave it out`,
    );
  }
}

/** What `fetch` was refused stands in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: unknown; cause?: { message?: unknown } };
  return String(cause?.message ?? message);
}

/** Which of them is first changes from round to round. */
async function both<Value>(round: number, measure: (side: Side) => Promise<Value>): Promise<Sided<Value>> {
  const found: Partial<Record<Side, Value>> = {};
  for (const side of round % 2 === 1 ? SIDES : SIDES.toReversed()) found[side] = await measure(side);
  return found as Sided<Value>;
}

async function shareOf(
  measured: MeasureSettings,
  { cores, jobs }: EnginesSettings,
  bench: EngineBench,
): Promise<number> {
  const { iterations } = measured;
  const bare = (): Promise<number> => bareRate({ jobs, hosts: cores, iterations }, bench.signal, cores);
  const before = await bare();
  const ours = await computing(measured, bench);
  return round(ours / ((before + (await bare())) / 2));
}

/** The client of Camunda has no tuner. */
async function tunerFigures(measured: MeasureSettings, bench: EngineBench): Promise<EnginesFigures['tuner']> {
  const { engine, targetCpu } = measured;
  const of = (side: Side): Promise<number> =>
    bench.progress.step(`tuner, ${side}`, () => tuned(measured, side, bench));
  return { targetCpu, own: engine === 'temporal' ? await of('own') : null, ours: await of('ours') };
}

const WORK_SECONDS = 0.15;

async function iterationsOf({ workspace, signal }: Bench): Promise<number> {
  const settings = { folder: workspace.folder };
  const { cpuIterationsPerSecond } = await run<Calibration>('calibrate', settings, {
    timeoutMs: 60_000,
    signal,
  });
  return Math.round(cpuIterationsPerSecond * WORK_SECONDS);
}

function stepsOf({ parts, repeat, engine }: EnginesSettings): number {
  const once = { throughput: 0, cpu: 0, blocked: 2, cancel: 1, tuner: engine === 'temporal' ? 2 : 1 };
  const each = { throughput: 2, cpu: 1, blocked: 0, cancel: 0, tuner: 0 };
  return parts.reduce((sum, part) => sum + once[part] + repeat * each[part], 0);
}

function compared(
  rounds: readonly Sided<Throughput>[],
  figure: (one: Throughput) => number,
): Compared | null {
  if (rounds.length === 0) return null;
  return {
    ...ratioOf(
      rounds.map(({ ours }) => figure(ours)),
      rounds.map(({ own }) => figure(own)),
    ),
    own: spread(rounds.map(({ own }) => figure(own))),
    ours: spread(rounds.map(({ ours }) => figure(ours))),
  };
}

export function enginesTable(figures: EnginesFigures): string {
  const { throughput, p95, cpuMsPerWork, blocked, cancelMs, cpuShare, tuner } = figures;
  const rows = [[figures.server, 'own', 'ours', 'ours over own']];
  const add = (name: string, one: EnginesFigures['throughput'], format: (value: number) => string): void => {
    if (one !== null)
      rows.push([name, format(one.own.median), format(one.ours.median), formatRatio(one.ratio)]);
  };
  add('works a second', throughput, formatRate);
  add('p95 at a steady rate, ms', p95, formatMs);
  add("worker's processor time for each, ms", cpuMsPerWork, formatMs);
  if (blocked !== null) {
    const { own, ours } = blocked;
    const said = ({ completed }: Blocked): string => (completed ? 'yes' : 'no');
    rows.push(['work that blocks completes', said(own), said(ours), '']);
    rows.push([
      'p95 of its neighbours, ms',
      formatMs(own.neighboursP95Ms),
      formatMs(ours.neighboursP95Ms),
      '',
    ]);
  }
  if (cancelMs !== null) rows.push(['cancel until stopped, ms', '', formatMs(cancelMs), '']);
  if (cpuShare !== null) rows.push(['share of bare processes', '', formatRatio(cpuShare), '']);
  if (tuner !== null) {
    const own = tuner.own === null ? 'has none' : tuner.own.toFixed(1);
    rows.push([`points from the target of ${tuner.targetCpu}`, own, tuner.ours.toFixed(1), '']);
  }
  return table(rows);
}
