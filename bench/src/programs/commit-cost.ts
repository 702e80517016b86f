import type { LoopPlace } from '../ceiling.ts';
import { openLoop } from '../open-ceiling.ts';
import { pace, systemPacerClock } from '../pacer.ts';
import { program } from '../program.ts';

/** What one durable insert costs by itself, at the same pace as the jobs it is compared with: a disk at rest is slower. */
export interface CommitCostSettings extends LoopPlace {
  /** Commits a second. */
  readonly rate: number;
  readonly commits: number;
}

export interface CommitCostRun {
  readonly commitMs: Float64Array;
}

program<CommitCostSettings, CommitCostRun>(async ({ rate, commits, ...place }) => {
  const loop = await openLoop(place);
  const commitMs = new Float64Array(commits);
  const committed: Promise<void>[] = [];
  await pace({
    rate,
    count: commits,
    clock: systemPacerClock,
    send: (n) => {
      const began = performance.now();
      const done = loop.commitOne({ n });
      const mark = (): void => {
        commitMs[n] = performance.now() - began;
      };
      // A loop that commits at once is not charged a turn of the event loop.
      if (done === undefined) mark();
      else committed.push(done.then(mark));
    },
  });
  await Promise.all(committed);
  await loop.close();
  return { commitMs };
});
