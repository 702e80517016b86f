import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench, CommonSettings } from '../bench.ts';
import { requireExactlyOnce, type Sabotage } from '../ledger.ts';
import type { CeilingRun } from '../programs/ceiling.ts';
import type { GroupCommitRun } from '../programs/group-commit.ts';
import type { PipelineRun } from '../programs/pipeline.ts';
import { programFile, run } from '../runner.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { formatRate, formatRatio, spreadCells, table } from '../table.ts';

/**
 * How fast a filled queue is emptied, and how fast it is filled, beside the hand-written loop on the same store.
 * Pipeline and ceiling take turns (A B A B), each in a process and on a file of its own.
 */
export interface BurndownSettings extends CommonSettings {
  readonly store: 'memory' | 'sqlite';
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

export async function burndown(settings: BurndownSettings, bench: Bench): Promise<BurndownFigures> {
  const runs: BurndownRun[] = [];
  bench.progress.start(settings.repeat * (settings.store === 'memory' ? 1 : 3));
  for (let n = 1; n <= settings.repeat; n += 1)
    runs.push(await measure(settings, bench, `${n}/${settings.repeat}`));
  return { ...summarize(runs), runs, checks: { executedOnce: true, completedInStore: true } };
}

async function measure(settings: BurndownSettings, bench: Bench, part: string): Promise<BurndownRun> {
  const { store, jobs, payload, batch, warmup } = settings;
  const pipeline = await pipelineRun(settings, bench, part);
  if (store === 'memory') return { pipeline, ceiling: null, groupCommit: null };
  const singles = Math.min(SINGLES, jobs);
  const ceiling = await inFreshFile<CeilingRun>(
    bench,
    `hand-written loop ${part}`,
    'ceiling',
    jobs,
    (file) => ({
      file,
      jobs,
      payload,
      batch,
      warmup,
      singles,
    }),
  );
  requireExactlyOnce('The hand-written loop', jobs, ceiling);
  const grouped = Math.min(GROUPED_MAX, jobs);
  const groupCommit = await inFreshFile<GroupCommitRun>(
    bench,
    `group commit ${part}`,
    'group-commit',
    grouped,
    (file) => ({ url: `sqlite:${file}`, payload, callers: CALLERS, singles, jobs: grouped }),
  );
  requireExactlyOnce('Single enqueues', singles + grouped, groupCommit);
  return { pipeline, ceiling, groupCommit };
}

async function pipelineRun(settings: BurndownSettings, bench: Bench, part: string): Promise<PipelineRun> {
  const { store, jobs, repeat: _, ...rest } = settings;
  const nodeArguments = bench.profile === null ? [] : profiling(bench.profile);
  const url = (file: string): string => (store === 'memory' ? 'memory:' : `sqlite:${file}`);
  const made = await inFreshFile<PipelineRun>(
    bench,
    `pipeline ${part}`,
    'pipeline',
    jobs,
    (file) => ({ ...rest, jobs, url: url(file) }),
    nodeArguments,
  );
  requireExactlyOnce('Burn-down', jobs, made);
  return made;
}

/** Threads get their arguments from the preloaded module: a store's thread takes none from the process. */
function profiling(folder: string): string[] {
  const prof = ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`];
  return [...prof, '--import', `${pathToFileURL(programFile('profile-threads'))}`];
}

async function inFreshFile<Run>(
  { workspace, progress, signal }: Bench,
  step: string,
  program: string,
  jobs: number,
  settings: (file: string) => object,
  nodeArguments: readonly string[] = [],
): Promise<Run> {
  const file = workspace.freshFile();
  try {
    return await progress.step(step, () =>
      run<Run>(program, settings(file), { timeoutMs: 60_000 + jobs * MS_PER_JOB_MAX, signal, nodeArguments }),
    );
  } finally {
    workspace.drop(file);
  }
}

/** Slower than this means stuck. */
const MS_PER_JOB_MAX = 2;

function summarize(runs: readonly BurndownRun[]): Omit<BurndownFigures, 'runs' | 'checks'> {
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
      ceilingNote: NO_CEILING,
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
    ceilingNote: CEILING,
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

const CEILING =
  'A loop written by hand on the same schema: batches of the same size, prepared statements, WAL, synchronous=FULL, finished jobs kept, one thread.';
const NO_CEILING = 'A Map and an array are no store to compare with: no leases, no retries, no retention.';
