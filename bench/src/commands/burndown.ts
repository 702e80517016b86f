import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench, CommonSettings } from '../bench.ts';
import { CEILINGS } from '../ceiling.ts';
import { requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { CeilingRun } from '../programs/ceiling.ts';
import type { GroupCommitRun } from '../programs/group-commit.ts';
import type { PipelineRun, PipelineSettings } from '../programs/pipeline.ts';
import { programFile, run } from '../runner.ts';
import type { Place, ServerRecord, Site, SiteSettings } from '../site.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { formatRate, formatRatio, spreadCells, table } from '../table.ts';

/**
 * How fast a filled queue is emptied, and how fast it is filled, beside the hand-written loop on the same store.
 * Pipeline and ceiling take turns (A B A B), each in a process and on a store of its own.
 */
export interface BurndownSettings extends CommonSettings, SiteSettings {
  readonly jobs: number;
  /** Bytes of a job's input as JSON. */
  readonly payload: number;
  readonly concurrency: number;
  readonly batch: number;
  /** Jobs that go the same way, in each process, before its clock starts. */
  readonly warmup: number;
  readonly sabotage: Sabotage | null;
}

interface Rates {
  readonly enqueuePerSecond: number;
  readonly processPerSecond: number;
}

export interface BurndownFigures extends Rates {
  readonly server: ServerRecord | null;
  /** Null where a loop by hand would not be a store; `ceilingNote` says why. */
  readonly ceiling: Rates | null;
  readonly ceilingNote: string;
  /** Medians of the ratios of each pair of runs. */
  readonly ratio: { readonly enqueue: number; readonly process: number } | null;
  readonly groupCommit: GroupCommitFigures | null;
  readonly spread: Readonly<Record<string, Spread>>;
  readonly runs: readonly BurndownRun[];
  readonly checks: Readonly<Record<string, true>>;
}

export interface GroupCommitFigures {
  readonly callers: number;
  readonly perSecond: number;
  /** One caller that awaits each enqueue. */
  readonly oneCommitEachPerSecond: number;
  readonly ratio: number;
  /** The hand-written loop with a commit an insert, and no thread to ask. */
  readonly bareCommitEachPerSecond: number;
  readonly ratioToBare: number;
}

interface BurndownRun {
  readonly pipeline: PipelineRun;
  readonly ceiling: CeilingRun | null;
  readonly groupCommit: GroupCommitRun | null;
}

const CALLERS = 100;
const SINGLES = 500;
const GROUPED_MAX = 20_000;

export function burndownTable({ spread, groupCommit, ceilingNote }: BurndownFigures): string {
  const rate = (label: string, key: string): string[] => [label, ...spreadCells(spread[key], formatRate)];
  const ratio = (label: string, key: string): string[] => [label, ...spreadCells(spread[key], formatRatio)];
  const rows = [
    ['', 'median', 'min', 'max'],
    rate('enqueue, jobs/s', 'enqueuePerSecond'),
    rate('process, jobs/s', 'processPerSecond'),
  ];
  if (groupCommit !== null) {
    rows.push(
      rate('by hand: insert, jobs/s', 'ceiling.enqueuePerSecond'),
      rate('by hand: claim + complete, jobs/s', 'ceiling.processPerSecond'),
      ratio('ratio enqueue', 'ratio.enqueue'),
      ratio('ratio process', 'ratio.process'),
      rate(`single enqueues, ${groupCommit.callers} callers, jobs/s`, 'groupCommit.perSecond'),
      rate('single enqueues, one caller, jobs/s', 'groupCommit.oneCommitEachPerSecond'),
      ratio('ratio', 'groupCommit.ratio'),
      rate('by hand: a commit an insert, jobs/s', 'groupCommit.bareCommitEachPerSecond'),
      ratio('ratio', 'groupCommit.ratioToBare'),
    );
  }
  return `${table(rows)}\n${ceilingNote}`;
}

export function burndown(settings: BurndownSettings, bench: Bench): Promise<BurndownFigures> {
  return withSite(settings, bench, async (site) => {
    const runs: BurndownRun[] = [];
    bench.progress.start(settings.repeat * (settings.store === 'memory' ? 1 : 3));
    for (let n = 1; n <= settings.repeat; n += 1)
      runs.push(await measure(settings, { ...bench, site }, `${n}/${settings.repeat}`));
    const ceilingNote = CEILINGS[settings.store];
    const { server } = site;
    return {
      server,
      ...summarize(runs),
      ceilingNote,
      runs,
      checks: { executedOnce: true, completedInStore: true },
    };
  });
}

type SitedBench = Bench & { readonly site: Site };

async function measure(settings: BurndownSettings, bench: SitedBench, part: string): Promise<BurndownRun> {
  const { store, jobs, payload, batch, warmup } = settings;
  const pipeline = await pipelineRun(settings, bench, part);
  if (store === 'memory') return { pipeline, ceiling: null, groupCommit: null };
  const singles = Math.min(SINGLES, jobs);
  const ceiling = await inPlace<CeilingRun>(bench, {
    step: `hand-written loop ${part}`,
    program: 'ceiling',
    jobs,
    settings: ({ url, server }) => ({ url, server, jobs, payload, batch, warmup, singles }),
  });
  requireExactlyOnce('The hand-written loop', jobs, ceiling);
  const grouped = Math.min(GROUPED_MAX, jobs);
  const groupCommit = await inPlace<GroupCommitRun>(bench, {
    step: `group commit ${part}`,
    program: 'group-commit',
    jobs: grouped,
    settings: ({ url }) => ({ url, payload, callers: CALLERS, singles, jobs: grouped }),
  });
  requireExactlyOnce('Single enqueues', singles + grouped, groupCommit);
  return { pipeline, ceiling, groupCommit };
}

async function pipelineRun(
  settings: BurndownSettings,
  bench: SitedBench,
  part: string,
): Promise<PipelineRun> {
  const { jobs, payload, concurrency, batch, warmup, sabotage } = settings;
  const made = await inPlace<PipelineRun>(bench, {
    step: `pipeline ${part}`,
    program: 'pipeline',
    jobs,
    settings: ({ url }): PipelineSettings => ({
      url,
      jobs,
      payload,
      concurrency,
      batch,
      warmup,
      keeps: true,
      sabotage,
    }),
    nodeArguments: bench.profile === null ? [] : profiling(bench.profile),
  });
  requireExactlyOnce('Burn-down', jobs, made);
  return made;
}

/** Threads get their arguments from the preloaded module: a store's thread takes none from the process. */
function profiling(folder: string): string[] {
  const prof = ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`];
  return [...prof, '--import', `${pathToFileURL(programFile('profile-threads'))}`];
}

interface Step {
  readonly step: string;
  readonly program: string;
  readonly jobs: number;
  readonly settings: (place: Place) => object;
  readonly nodeArguments?: readonly string[];
}

function inPlace<Run>({ site, progress, signal }: SitedBench, step: Step): Promise<Run> {
  const { program, jobs, settings, nodeArguments = [] } = step;
  const options = { timeoutMs: 60_000 + jobs * MS_PER_JOB_MAX, signal, nodeArguments };
  return progress.step(step.step, () =>
    inFreshPlace(site, (place) => run<Run>(program, settings(place), options)),
  );
}

/** Slower than this means stuck. */
const MS_PER_JOB_MAX = 2;

function summarize(
  runs: readonly BurndownRun[],
): Omit<BurndownFigures, 'server' | 'runs' | 'ceilingNote' | 'checks'> {
  const spreads: Record<string, Spread> = {};
  const median = (name: string, figure: (run: BurndownRun) => number): number => {
    const found = spreadOf(runs, figure);
    spreads[name] = found;
    return found.median;
  };
  const enqueuePerSecond = median('enqueuePerSecond', ({ pipeline }) => pipeline.enqueue.perSecond);
  const processPerSecond = median('processPerSecond', ({ pipeline }) => pipeline.process.perSecond);
  if (runs.some(({ ceiling }) => ceiling === null)) {
    return {
      enqueuePerSecond,
      processPerSecond,
      ceiling: null,
      ratio: null,
      groupCommit: null,
      spread: spreads,
    };
  }
  const hand = (run: BurndownRun): CeilingRun => run.ceiling as CeilingRun;
  const group = (run: BurndownRun): GroupCommitRun => run.groupCommit as GroupCommitRun;
  return {
    enqueuePerSecond,
    processPerSecond,
    ceiling: {
      enqueuePerSecond: median('ceiling.enqueuePerSecond', (run) => hand(run).enqueue.perSecond),
      processPerSecond: median('ceiling.processPerSecond', (run) => hand(run).process.perSecond),
    },
    ratio: {
      enqueue: median('ratio.enqueue', (run) => run.pipeline.enqueue.perSecond / hand(run).enqueue.perSecond),
      process: median('ratio.process', (run) => run.pipeline.process.perSecond / hand(run).process.perSecond),
    },
    groupCommit: {
      callers: CALLERS,
      perSecond: median('groupCommit.perSecond', (run) => group(run).grouped.perSecond),
      oneCommitEachPerSecond: median(
        'groupCommit.oneCommitEachPerSecond',
        (run) => group(run).oneCommitEach.perSecond,
      ),
      ratio: median(
        'groupCommit.ratio',
        (run) => group(run).grouped.perSecond / group(run).oneCommitEach.perSecond,
      ),
      bareCommitEachPerSecond: median(
        'groupCommit.bareCommitEachPerSecond',
        (run) => hand(run).oneCommitEach.perSecond,
      ),
      ratioToBare: median(
        'groupCommit.ratioToBare',
        (run) => group(run).grouped.perSecond / hand(run).oneCommitEach.perSecond,
      ),
    },
    spread: spreads,
  };
}
