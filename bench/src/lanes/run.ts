import type { Bench } from '../bench.ts';
import { CheckFailed, requireExactlyOnce, type Sabotage } from '../ledger.ts';
import { together } from '../open-loop.ts';
import { inFreshPlace } from '../open-site.ts';
import type { LaneRun, LaneSettings } from '../programs/lanes.ts';
import type { LoopSettings, SendReport } from '../programs/latency.ts';
import { type Program, type ProgramOptions, start } from '../runner.ts';
import type { Site, SiteSettings } from '../site.ts';

/**
 * The parts of `bench lanes` (commands/lanes.ts), a file each, and what they share: one lane's run in a fresh store, and
 * the sender of jobs that are handled inline meanwhile.
 */
export type SitedBench = Bench & { readonly site: Site };

/** What the parts of `bench lanes` are asked for. */
export interface LanesSettings extends SiteSettings {
  readonly store: SiteSettings['store'];
  /** Most threads, most processes, and the cores that one core's rate is multiplied by. */
  readonly hosts: number;
  readonly sabotage: Sabotage | null;
}

export type Strategy = LaneSettings['strategy'];
export const STRATEGIES: readonly Strategy[] = ['async', 'thread', 'process'];

export type LaneWork = Omit<LaneSettings, 'url' | 'marksFile' | 'batch' | 'timed'>;

/** Inline jobs that are sent meanwhile, from a process of their own. */
export interface TimedLoad {
  readonly rate: number;
  readonly jobs: number;
}

/** The sender of `latency`, of jobs that are handled inline while something else is measured. */
export function startSender(
  load: Pick<LoopSettings, 'url' | 'server' | 'rate' | 'jobs'>,
  options: ProgramOptions,
): Program<{ readonly sent: SendReport }> {
  const settings: LoopSettings = {
    ...load,
    measure: 'latency',
    role: 'sender',
    concurrency: 1,
    sabotage: null,
  };
  return start('latency', settings, options);
}

/** Runs one lane in a fresh store. Throws CheckFailed unless each job ran once, in its lane and inline, with the right result. */
export function runLane(
  what: string,
  work: LaneWork,
  { site, workspace, signal }: SitedBench,
  { rate, jobs: timed }: TimedLoad = { rate: 1, jobs: 0 },
): Promise<LaneRun> {
  const marksFile = workspace.freshFile();
  return inFreshPlace(site, ({ url, server }) =>
    together(signal, async (signal) => {
      const settings: LaneSettings = { ...work, url, marksFile, batch: BATCH, timed };
      const options = { timeoutMs: TIMEOUT_MS, signal };
      const lane = start<LaneRun>('lanes', settings, options);
      await lane.heard('ready');
      const sender = timed === 0 ? null : startSender({ url, server, rate, jobs: timed }, options);
      await sender?.heard('ready');
      lane.tell('go');
      sender?.tell('go');
      const [ran] = await Promise.all([lane.result, sender?.result]);
      requireRight(what, work.jobs, timed, ran);
      return ran;
    }),
  ).finally(() => workspace.drop(marksFile));
}

const BATCH = 500;
/** Longer than this means stuck. */
const TIMEOUT_MS = 600_000;

function requireRight(what: string, jobs: number, timed: number, ran: LaneRun): void {
  const { ledger, counts, timedLedger, wrongResults } = ran;
  const { completed = 0 } = counts;
  requireExactlyOnce(what, jobs, { ledger, counts: { ...counts, completed: completed - timed } });
  requireExactlyOnce(`${what}, inline jobs`, timed, { ledger: timedLedger, counts: { completed: timed } });
  if (wrongResults > 0)
    throw new CheckFailed(
      `${what}: ${wrongResults} jobs of ${jobs} gave a wrong result. No figures are given.`,
    );
}
