import type { Bench } from '../bench.ts';
import { CheckFailed } from '../ledger.ts';
import { inFreshPlace } from '../open-site.ts';
import type { FlowSettleRun, FlowSettleSettings } from '../programs/flow-settle.ts';
import { run } from '../runner.ts';
import type { Site } from '../site.ts';
import { round } from '../spread.ts';

/** How fast jobs that are steps settle, beside plain jobs with the same handler on the same store. */
export interface SettleShare {
  readonly stepsPerSecond: number;
  readonly plainPerSecond: number;
  readonly share: number;
}

export interface SettleSettings {
  readonly settle: number;
  readonly concurrency: number;
  readonly timeout: number;
}

export async function measureSettleShare(
  settings: SettleSettings,
  bench: Bench & { readonly site: Site; readonly part: string },
): Promise<SettleShare> {
  const plain = await rateOf('plain', settings, bench);
  const steps = await rateOf('steps', settings, bench);
  return { stepsPerSecond: round(steps), plainPerSecond: round(plain), share: round(steps / plain) };
}

function rateOf(
  kind: FlowSettleSettings['kind'],
  { settle: jobs, concurrency, timeout }: SettleSettings,
  { site, progress, signal, part }: Bench & { readonly site: Site; readonly part: string },
): Promise<number> {
  const timeoutMs = timeout * 1_000;
  return progress.step(`settling ${kind} ${part}`, () =>
    inFreshPlace(site, async ({ url }) => {
      const warmup = Math.min(jobs, WARM_UP_JOBS);
      const settings: FlowSettleSettings = { kind, url, jobs, concurrency, warmup, timeoutMs };
      const options = { timeoutMs: 2 * timeoutMs + 60_000, signal };
      const { process, completed, right } = await run<FlowSettleRun>('flow-settle', settings, options);
      // The join is a step as well.
      const expected = kind === 'steps' ? jobs + 1 : jobs;
      if (!right || completed !== expected)
        throw new CheckFailed(
          `settling ${kind}: ${completed} of ${expected} jobs are completed${right ? '' : ', and the run has another result'}. No figures are given.`,
        );
      return process.perSecond;
    }),
  );
}

const WARM_UP_JOBS = 5_000;
