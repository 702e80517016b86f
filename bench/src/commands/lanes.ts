import type { Bench, CommonSettings } from '../bench.ts';
import { type BlockFigures, type BlockPartSettings, measureBlock } from '../lanes/block.ts';
import { CPU_STEPS, type CpuFigures, type CpuSettings, measureCpu, summarizeCpu } from '../lanes/cpu.ts';
import {
  measureOverhead,
  OVERHEAD_STEPS,
  type OverheadFigures,
  type OverheadSettings,
  summarizeOverhead,
} from '../lanes/overhead.ts';
import {
  measurePools,
  POOLS_STEPS,
  type PoolsFigures,
  type PoolsSettings,
  summarizePools,
} from '../lanes/pools.ts';
import type { SitedBench } from '../lanes/run.ts';
import { withSite } from '../open-site.ts';
import { installRivals } from '../rivals.ts';
import type { ServerRecord } from '../site.ts';

/**
 * Where handlers run, and what that costs: jobs that compute, jobs that do nothing, the pools alone beside libraries,
 * and a handler that blocks for many lease times. The parts take turns within a round; the last is measured once.
 */
export interface LanesCommandSettings
  extends CommonSettings,
    CpuSettings,
    OverheadSettings,
    PoolsSettings,
    BlockPartSettings {
  readonly parts: readonly LanesPart[];
}

export const LANES_PARTS = ['cpu', 'overhead', 'pools', 'block'] as const;
export type LanesPart = (typeof LANES_PARTS)[number];

/** A part that was not asked for is null. */
export interface LanesFigures {
  readonly server: ServerRecord | null;
  readonly cpu: CpuFigures | null;
  readonly overhead: OverheadFigures | null;
  readonly pools: PoolsFigures | null;
  readonly block: BlockFigures | null;
  readonly checks: Readonly<Record<string, true>>;
}

export function lanes(settings: LanesCommandSettings, bench: Bench): Promise<LanesFigures> {
  if (settings.store === 'memory')
    throw new Error(
      'the memory store lives in one process, and jobs are sent from another: use --store sqlite',
    );
  return withSite(settings, bench, async (site) => {
    const sited: SitedBench = { ...bench, site };
    const { repeat, parts, blockSeconds } = settings;
    const wanted = (part: LanesPart): boolean => parts.includes(part);
    const blocking = wanted('block') && blockSeconds > 0;
    if (wanted('pools')) await installRivals(bench.progress);
    bench.progress.start(repeat * stepsOf(parts) + (blocking ? 1 : 0));
    const [cpu, overhead, pools] = [rounds(measureCpu), rounds(measureOverhead), rounds(measurePools)];
    for (let n = 1; n <= repeat; n += 1) {
      const part = `${n}/${repeat}`;
      if (wanted('cpu')) await cpu.run(settings, sited, part);
      if (wanted('overhead')) await overhead.run(settings, sited, part);
      if (wanted('pools')) await pools.run(settings, sited, part);
    }
    return {
      server: site.server,
      cpu: cpu.summary((runs) => summarizeCpu(settings, runs)),
      overhead: overhead.summary(summarizeOverhead),
      pools: pools.summary(summarizePools),
      block: blocking ? await measureBlock(settings, sited) : null,
      checks: { executedOnce: true, completedInStore: true, rightResults: true },
    };
  });
}

function stepsOf(parts: readonly LanesPart[]): number {
  const steps = { cpu: CPU_STEPS, overhead: OVERHEAD_STEPS, pools: POOLS_STEPS, block: 0 };
  return parts.reduce((sum, part) => sum + steps[part], 0);
}

/** Collects what each round of a part gave. */
function rounds<Settings, Round>(
  measure: (settings: Settings, bench: SitedBench, part: string) => Promise<Round>,
) {
  const runs: Round[] = [];
  return {
    run: async (settings: Settings, bench: SitedBench, part: string): Promise<void> => {
      runs.push(await measure(settings, bench, part));
    },
    summary: <Figures>(summarize: (runs: readonly Round[]) => Figures): Figures | null =>
      runs.length === 0 ? null : summarize(runs),
  };
}
