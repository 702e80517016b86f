import { connect } from '../../index.ts';
import { HandWrittenLoop } from '../ceiling-sqlite.ts';
import { pace, systemPacerClock } from '../pacer.ts';
import { program } from '../program.ts';

/** What one durable insert costs by itself, at the same pace as the jobs it is compared with: a disk at rest is slower. */
export interface CommitCostSettings {
  readonly file: string;
  /** Commits a second. */
  readonly rate: number;
  readonly commits: number;
}

export interface CommitCostRun {
  readonly commitMs: Float64Array;
}

program<CommitCostSettings, CommitCostRun>(async ({ file, rate, commits }) => {
  await (await connect(`sqlite:${file}`)).close();
  const loop = new HandWrittenLoop(file);
  const commitMs = new Float64Array(commits);
  await pace({
    rate,
    count: commits,
    clock: systemPacerClock,
    send: (n) => {
      const began = performance.now();
      loop.commitOne({ n });
      commitMs[n] = performance.now() - began;
    },
  });
  loop.close();
  return { commitMs };
});
