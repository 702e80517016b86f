import type { Job } from '../core/job.ts';
import { correlationIdIn } from '../core/meta.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { RAN, ranOf } from '../core/ran.ts';
import { someAtATime } from '../core/some-at-a-time.ts';
import type { Ran } from '../core/trace.ts';
import type { Store } from '../store/store.ts';

export interface AttemptMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
}

/** Readings of the store that are under way for one trace: whoever asks for it must not hold up the others. */
export const READINGS_MAX = 20;

/** Where and how long the attempts of each job ran, oldest first, as their workers wrote it down; by the job's id. */
export async function attemptsOf(
  jobs: readonly Job[],
  means: AttemptMeans,
): Promise<ReadonlyMap<string, readonly Ran[]>> {
  const told = jobs.filter(({ meta }) => correlationIdIn(meta) !== undefined);
  return new Map(
    await someAtATime(told, READINGS_MAX, async ({ id }) => [id, await attemptsIn(id, means)] as const),
  );
}

async function attemptsIn(id: string, { store, codec }: AttemptMeans): Promise<Ran[]> {
  const trail = await store.trail(id);
  return (trail?.logs ?? []).flatMap((line) => {
    // To decode a line may mean to decrypt it.
    if (line.message !== RAN) return [];
    try {
      const data = codec.decode(line.data, { role: 'log', id }, `the log of job ${id}`);
      return ranOf({ ...line, data }) ?? [];
    } catch {
      return [];
    }
  });
}
