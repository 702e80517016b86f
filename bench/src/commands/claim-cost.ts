import type { Bench, CommonSettings } from '../bench.ts';
import { type DurationSummary, Durations } from '../histogram.ts';
import { requireExactlyOnce, type Sabotage } from '../ledger.ts';
import type {
  ClaimCostCell,
  ClaimCostRun,
  ClaimCostSettings as ProgramSettings,
} from '../programs/claim-cost.ts';
import { run } from '../runner.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { formatMs, formatRatio, spreadCells, table } from '../table.ts';

/** Whether a claim costs more when many jobs wait, or when many are finished: claims of 100 at few against many. */
export interface ClaimCostSettings extends CommonSettings {
  readonly store: 'sqlite';
  /** The large number of jobs. */
  readonly jobs: number;
  /** The small one. */
  readonly base: number;
  /** Timed claims at each number. */
  readonly claims: number;
  readonly claimSize: number;
  readonly sabotage: Sabotage | null;
}

export interface ClaimCostFigures {
  /** Many over few, of the medians (p50); medians over the runs. */
  readonly ratio: { readonly waiting: Ratio; readonly finished: Ratio };
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly ClaimCostComparison[];
  readonly checks: Readonly<Record<string, true>>;
}

interface Ratio {
  readonly claim: number;
  readonly settle: number;
}

interface ClaimCostComparison {
  readonly waiting: Comparison;
  readonly finished: Comparison;
}

interface Comparison {
  readonly few: Cell;
  readonly many: Cell;
}

/** Milliseconds a claim of `claimSize` jobs, and to settle them. */
interface Cell {
  readonly level: readonly [number, number];
  readonly claimMs: DurationSummary;
  readonly settleMs: DurationSummary;
}

const VARIED = ['waiting', 'finished'] as const;
const VERBS = ['claim', 'settle'] as const;

export async function claimCost(settings: ClaimCostSettings, bench: Bench): Promise<ClaimCostFigures> {
  const runs: ClaimCostComparison[] = [];
  bench.progress.start(settings.repeat * VARIED.length);
  for (let n = 1; n <= settings.repeat; n += 1) {
    const part = `${n}/${settings.repeat}`;
    const waiting = await compare(settings, bench, 'waiting', part);
    runs.push({ waiting, finished: await compare(settings, bench, 'finished', part) });
  }
  const spread: Record<string, Spread> = {};
  const median = (vary: (typeof VARIED)[number], verb: (typeof VERBS)[number]): number => {
    const found = spreadOf(runs, ({ [vary]: { few, many } }) => many[`${verb}Ms`].p50 / few[`${verb}Ms`].p50);
    spread[`${vary}.${verb}`] = found;
    return found.median;
  };
  return {
    ratio: {
      waiting: { claim: median('waiting', 'claim'), settle: median('waiting', 'settle') },
      finished: { claim: median('finished', 'claim'), settle: median('finished', 'settle') },
    },
    spread,
    runs,
    checks: { executedOnce: true, completedInStore: true },
  };
}

async function compare(
  { jobs, base, claims, claimSize, sabotage }: ClaimCostSettings,
  { workspace, progress, signal }: Bench,
  vary: 'waiting' | 'finished',
  part: string,
): Promise<Comparison> {
  const files = [workspace.freshFile(), workspace.freshFile()] as const;
  const settings: ProgramSettings = { files, vary, levels: [base, jobs], claims, claimSize, sabotage };
  const timeoutMs = 120_000 + jobs / 2 + claims * 1_000;
  const step = `${base} and ${jobs} ${vary} ${part}`;
  const { cells } = await progress.step(step, () =>
    run<ClaimCostRun>('claim-cost', settings, { timeoutMs, signal }),
  );
  for (const file of files) workspace.drop(file);
  for (const cell of cells) requireExactlyOnce(`Claims with ${cell.level[0]} ${vary}`, cell.jobs, cell);
  return { few: toCell(cells[0]), many: toCell(cells[1]) };
}

function toCell({ level, claimMs, settleMs }: ClaimCostCell): Cell {
  return {
    level,
    claimMs: new Durations(claimMs).summary(),
    settleMs: new Durations(settleMs).summary(),
  };
}

export function claimCostTable({ runs, spread }: ClaimCostFigures): string {
  const rows = [['p50, ms', 'few', 'many', 'ratio', 'min', 'max']];
  for (const vary of VARIED) {
    for (const verb of VERBS) {
      const p50 = (which: 'few' | 'many'): string =>
        formatMs(spreadOf(runs, ({ [vary]: cells }) => cells[which][`${verb}Ms`].p50).median);
      const ratio = spreadCells(spread[`${vary}.${verb}`], formatRatio);
      rows.push([`${verb}, ${vary} jobs vary`, p50('few'), p50('many'), ...ratio]);
    }
  }
  return table(rows);
}
