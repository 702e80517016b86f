import { makeInputs } from '../inputs.ts';
import { type Evidence, Ledger } from '../ledger.ts';
import { connect } from '../longshore.ts';
import { type Phase, startPhase } from '../phase.ts';
import { program } from '../program.ts';
import { countJobs, finishLine, noopTask } from '../workload.ts';

/** Single enqueues, each awaited: by one caller, so that each has a commit of its own, and by many callers at once. */
export interface GroupCommitSettings {
  readonly url: string;
  readonly payload: number;
  readonly callers: number;
  /** Jobs that one caller enqueues. */
  readonly singles: number;
  /** Jobs that all callers enqueue together. */
  readonly jobs: number;
}

export interface GroupCommitRun extends Evidence {
  readonly oneCommitEach: Phase;
  readonly grouped: Phase;
}

program<GroupCommitSettings, GroupCommitRun>(async ({ url, payload, callers, singles, jobs }) => {
  const ledger = new Ledger(singles + jobs);
  const task = noopTask(ledger);
  const inputs = makeInputs(singles + jobs, payload);
  const longshore = await connect(url);
  try {
    const single = startPhase();
    for (const input of inputs.slice(0, singles)) await longshore.enqueue(task, input);
    const oneCommitEach = single.end(singles);

    let next = singles;
    const caller = async (): Promise<void> => {
      while (next < inputs.length) await longshore.enqueue(task, inputs[next++]);
    };
    const together = startPhase();
    await Promise.all(Array.from({ length: callers }, caller));
    const grouped = together.end(jobs);

    const worker = longshore.worker({ tasks: [task], concurrency: 100 });
    const finished = finishLine(longshore, worker, inputs.length);
    await worker.start();
    await finished;
    await worker.stop();
    return { oneCommitEach, grouped, ledger: ledger.report(), counts: await countJobs(longshore) };
  } finally {
    await longshore.close();
  }
});
