import type { Bench, CommonSettings } from '../bench.ts';
import { medianOf } from '../flows/median.ts';
import { type FlowRatio, ratioOf } from '../flows/ratio.ts';
import { FLOW_RIVALS, type FlowRival } from '../flows/rivals.ts';
import { measureSettleShare, type SettleShare } from '../flows/settle-share.ts';
import { measureSystem, partsOf, type SystemFigures, type SystemSettings } from '../flows/system-figures.ts';
import { withSite } from '../open-site.ts';
import { installRivals } from '../rivals.ts';
import type { ServerRecord, SiteSettings } from '../site.ts';

/**
 * How long a step waits for the one before it, and how fast runs of flows get through: every shape at a steady rate from
 * intended start times, many runs at once, fan-outs with a join, and how fast jobs of steps settle beside plain ones; other
 * systems on the same server. A run without its right result fails the whole.
 */
export interface FlowsSettings extends CommonSettings, SiteSettings, Omit<SystemSettings, 'processes'> {
  readonly processes: '1' | '2';
  /** Names, or `none`; default: all of the store. */
  readonly rivals?: readonly string[];
  /** Jobs whose settle rate is compared; 0: none. */
  readonly settle: number;
}

export interface FlowsFigures extends SystemFigures {
  readonly server: ServerRecord | null;
  readonly unit: 'ms';
  /** Jobs of steps settled a second over plain ones: the median of each round's ratio. */
  readonly settleShare: number | null;
  readonly settle: SettleShare | null;
  readonly rivals: Readonly<Record<string, RivalFigures>>;
  readonly runs: readonly Round[];
  readonly checks: Readonly<Record<string, true>>;
}

interface RivalFigures extends SystemFigures {
  readonly note: string;
  readonly ratio: FlowRatio;
}

interface Round {
  readonly longshore: SystemFigures;
  readonly rivals: Readonly<Record<string, SystemFigures>>;
  readonly settle: SettleShare | null;
}

export async function flows(settings: FlowsSettings, bench: Bench): Promise<FlowsFigures> {
  const { store, repeat, processes } = settings;
  if (store === 'memory' && processes !== '1')
    throw new Error('the memory store lives in one process: use --processes 1, or --store sqlite');
  const rivals = rivalsOf(settings);
  if (rivals.length > 0) await installRivals(bench.progress);
  const system: SystemSettings = { ...settings, processes: processes === '1' ? 1 : 2 };
  return withSite(settings, bench, async (site) => {
    const parts = await Promise.all([null, ...rivals].map((rival) => partsOf(system, rival)));
    bench.progress.start(repeat * (parts.flat().length + (settings.settle > 0 ? 2 : 0)));
    const rounds: Round[] = [];
    for (let n = 1; n <= repeat; n += 1) {
      const means = { ...bench, site, part: `${n}/${repeat}` };
      const longshore = await measureSystem(system, null, means);
      const theirs: Record<string, SystemFigures> = {};
      for (const rival of rivals) theirs[rival.name] = await measureSystem(system, rival, means);
      const settle = settings.settle > 0 ? await measureSettleShare(settings, means) : null;
      rounds.push({ longshore, rivals: theirs, settle });
    }
    return { server: site.server, unit: 'ms', ...summarize(rounds, rivals) };
  });
}

function rivalsOf({ store, rivals }: FlowsSettings): readonly FlowRival[] {
  const all = store === 'postgres' || store === 'redis' ? FLOW_RIVALS[store] : [];
  if (rivals === undefined) return all;
  const names = rivals.filter((name) => name !== 'none');
  for (const name of names)
    if (!all.some((rival) => rival.name === name))
      throw new Error(
        `--rivals ${name}: on ${store} there are ${all.map((rival) => rival.name).join(', ') || 'none'}.`,
      );
  return all.filter(({ name }) => names.includes(name));
}

function summarize(
  rounds: readonly Round[],
  rivals: readonly FlowRival[],
): Omit<FlowsFigures, 'server' | 'unit'> {
  const settles = rounds.flatMap(({ settle }) => (settle === null ? [] : [settle]));
  const settle = settles.length === 0 ? null : (medianOf(settles) as SettleShare);
  const theirs: Record<string, RivalFigures> = {};
  for (const { name, note } of rivals) {
    const found = rounds.map((round) => round.rivals[name] as SystemFigures);
    const ratio = medianOf(
      rounds.map(({ longshore }, n) => ratioOf(longshore, found[n] as SystemFigures)),
    ) as FlowRatio;
    theirs[name] = { note, ...(medianOf(found) as SystemFigures), ratio };
  }
  return {
    ...(medianOf(rounds.map(({ longshore }) => longshore)) as SystemFigures),
    settleShare: settle?.share ?? null,
    settle,
    rivals: theirs,
    runs: rounds,
    checks: { rightResults: true, executedOnce: true, completedInStore: true, clocksAgree: true },
  };
}
