import { connect } from '../../index.ts';
import { HandWrittenLoop } from '../ceiling-sqlite.ts';
import { type Evidence, Ledger } from '../ledger.ts';
import { type Phase, startPhase } from '../phase.ts';
import { program } from '../program.ts';
import { type Input, makeInputs } from '../workload.ts';

/** The hand-written loop on a fresh file that Longshore made, and inserts with a commit each. */
export interface CeilingSettings {
  readonly file: string;
  readonly jobs: number;
  readonly payload: number;
  readonly batch: number;
  /** Jobs that go the same way before the clock starts, and are deleted afterwards. */
  readonly warmup: number;
  /** Inserts with a commit each. */
  readonly singles: number;
}

export interface CeilingRun extends Evidence {
  readonly enqueue: Phase;
  readonly process: Phase;
  readonly oneCommitEach: Phase;
}

program<CeilingSettings, CeilingRun>(async ({ file, jobs, payload, batch, warmup, singles }) => {
  await (await connect(`sqlite:${file}`)).close();
  const ledger = new Ledger(jobs);
  const inputs = makeInputs(jobs, payload);
  const loop = new HandWrittenLoop(file);

  loop.warmUp(makeInputs(warmup, payload), batch);
  const enqueuing = startPhase();
  loop.enqueue(inputs, batch);
  const enqueue = enqueuing.end(jobs);

  const processing = startPhase();
  loop.process(batch, (input) => ledger.mark((input as Input).n));
  const processed = processing.end(jobs);

  const counts = {
    completed: loop.count('completed'),
    running: loop.count('running'),
    ready: loop.count('ready'),
  };
  const committing = startPhase();
  for (const input of inputs.slice(0, singles)) loop.commitOne(input);
  const oneCommitEach = committing.end(Math.min(singles, jobs));
  loop.close();
  return { enqueue, process: processed, oneCommitEach, ledger: ledger.report(), counts };
});
