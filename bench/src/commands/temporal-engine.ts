import { availableParallelism } from 'node:os';
import type { Bench } from '../bench.ts';
import type { EngineSettings } from '../engines/engine.ts';
import { loadNeighbour } from '../neighbours.ts';
import type { OwnServer } from '../services.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { table } from '../table.ts';

/** Longshore's worker for Temporal beside the SDK's own, on the same server in turns, each with the defaults of its maker. */
export interface TemporalSettings extends EngineSettings {
  readonly blockSeconds: number;
}

interface Pair {
  readonly own: Echo;
  readonly ours: Echo;
}

type Echo = Awaited<ReturnType<typeof import('../engines/temporal.ts')['echoes']>>;
type Blocked = Awaited<ReturnType<typeof import('../engines/temporal.ts')['blocked']>>;

export interface TemporalFigures {
  /** Ours over the engine's own; medians. */
  readonly throughput: { readonly ratio: number };
  readonly p95: { readonly ratio: number };
  /** Null: left out. */
  readonly blocked: { readonly own: Blocked; readonly ours: Blocked } | null;
  /** From a cancel to the end of code that listens to nothing. */
  readonly cancelMs: number;
  /** 100 activities of 150 ms: what bare processes take, over what it took. */
  readonly cpuShare: number;
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly Pair[];
}

const UNITS = 100;
const UNIT_MS = 150;

export async function temporalEngine(
  settings: TemporalSettings,
  { progress, signal }: Bench,
): Promise<TemporalFigures> {
  const { repeat, jobs: workflows, concurrency, blockSeconds } = settings;
  // The SDK is loaded for this command alone.
  const { blocked, cancelled, cpuShare, echoes, openStage } = await import('../engines/temporal.ts');
  const server = settings.url === undefined ? await startTemporal() : null;
  const stage = await openStage(settings.url ?? server?.url ?? '', signal);
  progress.start(2 * repeat + (blockSeconds > 0 ? 2 : 0) + 2);
  try {
    const runs: Pair[] = [];
    for (let n = 1; n <= repeat; n += 1) {
      const of = (side: 'own' | 'ours') =>
        progress.step(`EchoWorkflow, ${side} ${n}/${repeat}`, () =>
          echoes(stage, side, workflows, concurrency),
        );
      runs.push({ own: await of('own'), ours: await of('ours') });
    }
    const block = (side: 'own' | 'ours') =>
      progress.step(`blocked, ${side}`, () => blocked(stage, side, blockSeconds * 1_000));
    const both = blockSeconds > 0 ? { own: await block('own'), ours: await block('ours') } : null;
    const cancelMs = await progress.step('cancel', () => cancelled(stage));
    const cores = Math.min(2, availableParallelism());
    const share = await progress.step('computing', () => cpuShare(stage, UNITS, UNIT_MS, cores));
    const spread = {
      throughput: spreadOf(runs, ({ own, ours }) => ours.workflowsPerSecond / own.workflowsPerSecond),
      p95: spreadOf(runs, ({ own, ours }) => ours.p95Ms / own.p95Ms),
    };
    return {
      throughput: { ratio: spread.throughput.median },
      p95: { ratio: spread.p95.median },
      blocked: both,
      cancelMs,
      cpuShare: share,
      spread,
      runs,
    };
  } finally {
    await stage.close();
    await server?.stop();
  }
}

interface Services {
  startTemporal(): Promise<OwnServer>;
}

async function startTemporal(): Promise<OwnServer> {
  const advice = 'Give the address of a server with --url.';
  return (await loadNeighbour<Services>('setup/services/index.mjs', advice)).startTemporal();
}

export function temporalTable({
  throughput,
  p95,
  blocked,
  cancelMs,
  cpuShare,
  runs,
}: TemporalFigures): string {
  const rows = [
    ['', 'own', 'ours', 'ratio'],
    [
      'workflows a second',
      last(runs, 'own', 'workflowsPerSecond'),
      last(runs, 'ours', 'workflowsPerSecond'),
      throughput.ratio.toFixed(2),
    ],
    ['p95, ms', last(runs, 'own', 'p95Ms'), last(runs, 'ours', 'p95Ms'), p95.ratio.toFixed(2)],
    [
      'processor, ms a workflow',
      last(runs, 'own', 'cpuMsPerWorkflow'),
      last(runs, 'ours', 'cpuMsPerWorkflow'),
      '',
    ],
  ];
  if (blocked !== null) {
    const { own, ours } = blocked;
    rows.push(['an activity that blocks', outcome(own), outcome(ours), '']);
    rows.push([
      'neighbours meanwhile, p95 ms',
      own.neighboursP95Ms.toFixed(0),
      ours.neighboursP95Ms.toFixed(0),
      '',
    ]);
  }
  rows.push(['cancel until stopped, ms', '', cancelMs.toFixed(0), '']);
  rows.push(['computing, share of bare processes', '', cpuShare.toFixed(2), '']);
  return table(rows);
}

function outcome({ completed }: Blocked): string {
  return completed ? 'completed' : 'failed';
}

function last(runs: readonly Pair[], side: 'own' | 'ours', field: keyof Echo): string {
  return runs.at(-1)?.[side][field].toFixed(1) ?? '';
}
