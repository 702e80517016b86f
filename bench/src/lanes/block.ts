import { CheckFailed, Ledger, requireExactlyOnce } from '../ledger.ts';
import { requireSameClock, type Timing, timing, together } from '../open-loop.ts';
import { inFreshPlace } from '../open-site.ts';
import type { BlockRun, BlockSettings } from '../programs/block.ts';
import { type Program, start } from '../runner.ts';
import type { Place } from '../site.ts';
import { round } from '../spread.ts';
import { type LanesSettings, type SitedBench, startSender } from './run.ts';

/**
 * A handler that computes inline for many times its lease, and another worker process that goes on meanwhile. No
 * figures are given unless the lease held: one attempt, no run by the other worker, no lease lost or expired.
 */
export interface BlockPartSettings extends LanesSettings {
  /** 0: not measured. */
  readonly blockSeconds: number;
  readonly leaseMs: number;
  /** Jobs a second that are sent to the other worker. */
  readonly rate: number;
}

export interface BlockFigures {
  readonly blockedSeconds: number;
  readonly leaseMs: number;
  readonly attempt: number;
  readonly leasesLost: number;
  /** All of them started while the handler blocked. */
  readonly otherJobs: number;
  /** Of these, from the intended send time to the start of the handler, ms. */
  readonly pickup: Timing;
}

export async function measureBlock(settings: BlockPartSettings, bench: SitedBench): Promise<BlockFigures> {
  const { blockSeconds, rate } = settings;
  // The other worker starts when the block has begun, and the last jobs are sent some time before it is over.
  const sentSeconds = blockSeconds - Math.min(SPARED_SECONDS, blockSeconds / 2);
  const jobs = Math.max(1, Math.floor(rate * sentSeconds));
  const runs = await bench.progress.step(`a handler that computes for ${blockSeconds} s`, () =>
    inFreshPlace(bench.site, (place) => runBoth(settings, place, jobs, bench.signal)),
  );
  return judge(settings, jobs, runs);
}

const SPARED_SECONDS = 5;

interface Runs {
  readonly blocker: BlockRun;
  readonly other: BlockRun;
}

function runBoth(
  { blockSeconds, leaseMs, rate }: BlockPartSettings,
  { url, server }: Place,
  jobs: number,
  signal: AbortSignal,
): Promise<Runs> {
  return together(signal, async (signal) => {
    const options = { timeoutMs: blockSeconds * 2_000 + 60_000, signal };
    const begin = (role: BlockSettings['role']): Program<BlockRun> =>
      start<BlockRun>('block', { role, url, blockSeconds, leaseMs, jobs } satisfies BlockSettings, options);
    const [blocker, other] = [begin('blocker'), begin('other')];
    const sender = startSender({ url, server, rate, jobs }, options);
    await Promise.all([blocker, other, sender].map((program) => program.heard('ready')));
    await requireSameClock([blocker, other, sender]);
    blocker.tell('work');
    await blocker.heard('blocking');
    other.tell('work');
    await other.heard('working');
    sender.tell('go');
    await Promise.all([sender.result, blocker.heard('blocked')]);
    // A stop waits for jobs that run, and for their outcomes.
    blocker.tell('stop');
    const blocked = await blocker.result;
    other.tell('stop');
    return { blocker: blocked, other: await other.result };
  });
}

function judge(
  { leaseMs, sabotage }: BlockPartSettings,
  jobs: number,
  { blocker, other }: Runs,
): BlockFigures {
  const ledger = new Ledger(jobs + 1, sabotage);
  for (const { runs, strangers } of [blocker, other]) ledger.add(runs, strangers);
  requireExactlyOnce('a handler that blocks', jobs + 1, { ledger: ledger.report(), counts: other.counts });
  const { blocked, blockBeganAtMs, blockEndedAtMs } = blocker;
  const lost = blocker.lost + other.lost;
  const faults = [
    blocker.runs[jobs] === 1 ? '' : 'the blocking job ran in the other worker',
    blocked?.attempt === 1 ? '' : `the blocking job took ${blocked?.attempt} attempts`,
    (blocked?.crashes ?? 0) + lost === 0
      ? ''
      : `${lost} leases were lost, ${blocked?.crashes} of them charged`,
    other.lastPickupAtMs < blockEndedAtMs ? '' : 'jobs of the other worker waited for the end of the block',
  ].filter((fault) => fault !== '');
  if (faults.length > 0)
    throw new CheckFailed(`a handler that blocks: ${faults.join('; ')}. No figures are given.`);
  return {
    blockedSeconds: round((blockEndedAtMs - blockBeganAtMs) / 1_000),
    leaseMs,
    attempt: 1,
    leasesLost: lost,
    otherJobs: jobs,
    pickup: timing(other.pickupMs),
  };
}
