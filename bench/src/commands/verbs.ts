import type { Bench, CommonSettings } from '../bench.ts';
import { type Evidence, requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { inFreshPlace, withSite } from '../open-site.ts';
import type { JobKind, VerbsSettings as ProgramSettings, VerbsReport } from '../programs/store-verbs.ts';
import { run } from '../runner.ts';
import type { ServerRecord, SiteSettings } from '../site.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { spreadCells, table } from '../table.ts';

/** What each kind of job costs the store: the time of its verbs, in batches, kinds in turns. */
export interface VerbsSettings extends CommonSettings, SiteSettings {
  readonly jobs: number;
  readonly batch: number;
  readonly sabotage: Sabotage | null;
}

export interface VerbsFigures {
  readonly server: ServerRecord | null;
  readonly kinds: Readonly<Record<JobKind, KindFigures>>;
  readonly runs: readonly Readonly<Record<JobKind, VerbsRun>>[];
  readonly checks: Readonly<Record<string, true>>;
}

export interface KindFigures {
  /** µs a job. */
  readonly enqueueMicros: Spread;
  /** µs a job, claim and settle together. */
  readonly finishMicros: Spread;
}

const KINDS: readonly JobKind[] = ['plain', 'delayed', 'unique', 'key'];

const WARMUP_BATCHES = 10;

export function verbs(settings: VerbsSettings, bench: Bench): Promise<VerbsFigures> {
  return withSite(settings, bench, async (site) => {
    const { batch, repeat, sabotage } = settings;
    // Whole batches.
    const jobs = Math.ceil(settings.jobs / batch) * batch;
    const { progress, signal } = bench;
    progress.start(repeat * KINDS.length);
    const runs: Record<JobKind, VerbsRun>[] = [];
    for (let n = 1; n <= repeat; n += 1) {
      const round: Partial<Record<JobKind, VerbsRun>> = {};
      for (const kind of KINDS) {
        round[kind] = await progress.step(`${kind} ${n}/${repeat}`, () =>
          inFreshPlace(site, ({ url }) => measureKind({ url, kind, jobs, batch, sabotage }, signal)),
        );
        requireExactlyOnce(`Jobs of the kind ${kind}`, jobs + WARMUP_BATCHES * batch, round[kind]);
      }
      runs.push(round as Record<JobKind, VerbsRun>);
    }
    return {
      server: site.server,
      kinds: Object.fromEntries(
        KINDS.map((kind) => [kind, figuresOf(runs.map((round) => round[kind]))]),
      ) as VerbsFigures['kinds'],
      runs,
      checks: { executedOnce: true, completedInStore: true },
    };
  });
}

interface VerbsRun extends Evidence {
  readonly jobs: number;
  readonly enqueueMicros: number;
  readonly finishMicros: number;
}

async function measureKind(
  {
    jobs,
    batch,
    ...given
  }: Pick<ProgramSettings, 'url' | 'kind' | 'sabotage'> & Pick<VerbsSettings, 'jobs' | 'batch'>,
  signal: AbortSignal,
): Promise<VerbsRun> {
  const alone = { server: null, waiting: 0, finished: 0, flows: 0 };
  const rounds = { rounds: jobs / batch + WARMUP_BATCHES, warmup: WARMUP_BATCHES, size: batch };
  const settings: ProgramSettings = { ...given, ...alone, ...rounds };
  const options = { timeoutMs: 120_000 + jobs * 10, signal };
  const { enqueueMicros, finishMicros, ledger, counts } = await run<VerbsReport>(
    'store-verbs',
    settings,
    options,
  );
  return { jobs, enqueueMicros, finishMicros, ledger, counts };
}

function figuresOf(runs: readonly VerbsRun[]): KindFigures {
  return {
    enqueueMicros: spreadOf(runs, ({ enqueueMicros }) => enqueueMicros),
    finishMicros: spreadOf(runs, ({ finishMicros }) => finishMicros),
  };
}

export function verbsTable({ kinds }: VerbsFigures): string {
  const cells = (spread: Spread): string[] => spreadCells(spread, (value) => value.toFixed(1));
  return table([
    ['µs a job', 'enqueue', 'min', 'max', 'claim and settle', 'min', 'max'],
    ...KINDS.map((kind) => [kind, ...cells(kinds[kind].enqueueMicros), ...cells(kinds[kind].finishMicros)]),
  ]);
}
