import type { Bench } from '../bench.ts';
import type { Sabotage } from '../ledger.ts';
import { inFreshPlace } from '../open-site.ts';
import { rivalFile } from '../rivals.ts';
import type { Site } from '../site.ts';
import {
  type BurstFigures,
  burstFigures,
  type FanOutFigures,
  fanOutFigures,
  fanOutRuns,
  type ShapeFigures,
  shapeFigures,
} from './figures.ts';
import { measurePlay, type Play } from './measure.ts';
import type { FlowRival } from './rivals.ts';
import { BURST_NAMES, fanOutShape, type ShapeName, shapeNamed } from './shape.ts';

/** All that is measured of one system, Longshore or another: each part in processes and a store of its own. */
export interface SystemFigures {
  readonly shapes: Readonly<Record<string, ShapeFigures>>;
  readonly burst: Readonly<Record<string, BurstFigures>>;
  readonly fanOut: Readonly<Record<string, FanOutFigures>>;
}

export interface SystemSettings {
  readonly shapes: readonly ShapeName[];
  readonly items: readonly number[];
  readonly rate: number;
  readonly runs: number;
  readonly burst: number;
  readonly warmup: number;
  readonly concurrency: number;
  readonly processes: 1 | 2;
  /** Of each part. */
  readonly timeout: number;
  readonly sabotage: Sabotage | null;
}

/** Parts that `measureSystem` makes, by name. */
export async function partsOf(settings: SystemSettings, rival: FlowRival | null): Promise<string[]> {
  const { paced, bursts, items } = await chosen(settings, rival);
  return [...paced, ...bursts.map((name) => `${name} at once`), ...(items.length > 0 ? ['fan-outs'] : [])];
}

async function chosen(
  { shapes, items, burst }: SystemSettings,
  rival: FlowRival | null,
): Promise<{ paced: ShapeName[]; bursts: ShapeName[]; items: number[] }> {
  const paced: ShapeName[] = [];
  for (const name of shapes) if (rival?.has((await shapeNamed(name)).graph) ?? true) paced.push(name);
  const bursts = burst === 0 ? [] : BURST_NAMES.filter((name) => paced.includes(name));
  return { paced, bursts, items: items.filter((count) => count <= (rival?.itemsMax ?? count)) };
}

export async function measureSystem(
  settings: SystemSettings,
  rival: FlowRival | null,
  { site, progress, signal, part }: Bench & { readonly site: Site; readonly part: string },
): Promise<SystemFigures> {
  const { rate, runs, burst, concurrency, sabotage, timeout } = settings;
  const warmup = Math.min(settings.warmup, runs);
  const system = rival?.name ?? 'longshore';
  const common = {
    ...{ rate, warmup, concurrency, sabotage, signal, timeoutMs: timeout * 1_000, items: [] },
    processes: rival?.processes ?? settings.processes,
    ...(rival === null ? {} : { file: rivalFile(rival.program) }),
  };
  const play = <Figures>(
    what: Pick<Play, 'part' | 'shape' | 'graph' | 'runs'> & Partial<Play>,
    figures: (played: Awaited<ReturnType<typeof measurePlay>>) => Figures,
  ): Promise<Figures> => {
    const name = `${system}: ${what.shape}${what.part === 'burst' ? ' at once' : ''}`;
    return progress.step(`${name} ${part}`, () =>
      inFreshPlace(site, async (place) => figures(await measurePlay({ ...common, ...what, name, place }))),
    );
  };
  const { paced, bursts, items } = await chosen(settings, rival);
  const shapes: Record<string, ShapeFigures> = {};
  for (const name of paced) {
    const { graph } = await shapeNamed(name);
    shapes[name] = await play({ part: 'paced', shape: name, graph, runs }, (played) =>
      shapeFigures(played, graph, warmup),
    );
  }
  const atOnce: Record<string, BurstFigures> = {};
  for (const name of bursts) {
    const { graph } = await shapeNamed(name);
    atOnce[name] = await play({ part: 'burst', shape: name, graph, runs: burst }, (played) =>
      burstFigures(played, graph, warmup),
    );
  }
  if (items.length === 0) return { shapes, burst: atOnce, fanOut: {} };
  const each = fanOutRuns(items);
  const { graph } = await fanOutShape(each);
  const what = {
    part: 'fanOut',
    shape: 'fan-outs',
    graph,
    items: each,
    warmup: 0,
    runs: each.length,
  } as const;
  const fanOut = await play(what, (played) => fanOutFigures(played, each));
  return { shapes, burst: atOnce, fanOut };
}
