import type { Bench } from './bench.ts';
import { CheckFailed } from './ledger.ts';
import { inFreshPlace } from './open-site.ts';
import type { FillRun, FillSettings } from './programs/fill.ts';
import { rivalFile } from './rivals.ts';
import { run } from './runner.ts';
import type { Place, Site } from './site.ts';
import { redisClient, usedMemoryBytes } from './site-redis.ts';
import { round } from './spread.ts';

/** What a queued job takes of a Redis server's memory, its input of `payload` bytes included. */
export interface QueuedBytes {
  readonly jobs: number;
  readonly payload: number;
  readonly bytesPerJob: Readonly<Record<'longshore' | 'bullmq', number>>;
  readonly ratio: number;
}

interface QueuedSettings {
  readonly queued: number;
  readonly payload: number;
  readonly batch: number;
}

/** `used_memory` before and after a fill, both without the connection that filled. */
export async function measureQueuedBytes(
  { queued: jobs, payload, batch }: QueuedSettings,
  site: Site,
  { progress, signal }: Bench,
): Promise<QueuedBytes> {
  const options = { timeoutMs: 120_000 + jobs, signal };
  const fill = { jobs, payload, batch };
  const longshore = await progress.step('memory of queued jobs, longshore', () =>
    weigh(site, jobs, ({ url }) => run<FillRun>('fill', { url, ...fill } satisfies FillSettings, options)),
  );
  const bullmq = await progress.step('memory of queued jobs, bullmq', () =>
    weigh(site, jobs, ({ server }) =>
      run<FillRun>(
        'bullmq',
        { measure: 'fill', server, concurrency: 1, ...fill },
        { ...options, file: rivalFile('bullmq') },
      ),
    ),
  );
  return { jobs, payload, bytesPerJob: { longshore, bullmq }, ratio: round(longshore / bullmq) };
}

function weigh(site: Site, jobs: number, fill: (place: Place) => Promise<FillRun>): Promise<number> {
  return inFreshPlace(site, async (place) => {
    const client = await redisClient(place.server?.url ?? '');
    try {
      const before = await usedMemoryBytes(client);
      const { ready = 0, waiting = 0 } = (await fill(place)).counts;
      if (ready + waiting !== jobs)
        throw new CheckFailed(`${ready + waiting} of ${jobs} jobs are queued. No figures are given.`);
      return round(((await usedMemoryBytes(client)) - before) / jobs);
    } finally {
      client.destroy();
    }
  });
}
