import type { LoopPlace } from '../ceiling.ts';
import { type Input, makeInputs } from '../inputs.ts';
import { type Evidence, Ledger } from '../ledger.ts';
import { openLoop } from '../open-ceiling.ts';
import { type Phase, startPhase } from '../phase.ts';
import { program } from '../program.ts';

/** The hand-written loop on a fresh store that Longshore made, and inserts with a commit each. */
export interface CeilingSettings extends LoopPlace {
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

program<CeilingSettings, CeilingRun>(async ({ jobs, payload, batch, warmup, singles, ...place }) => {
  const ledger = new Ledger(jobs);
  const inputs = makeInputs(jobs, payload);
  const loop = await openLoop(place);
  try {
    await loop.warmUp(makeInputs(warmup, payload), batch);
    const enqueuing = startPhase();
    await loop.enqueue(inputs, batch);
    const enqueue = enqueuing.end(jobs);

    const processing = startPhase();
    await loop.process(batch, (input) => ledger.mark((input as Input).n));
    const processed = processing.end(jobs);

    const counts = { ...(await loop.count()) };
    const committing = startPhase();
    for (const input of inputs.slice(0, singles)) await loop.commitOne(input);
    const oneCommitEach = committing.end(Math.min(singles, jobs));
    return { enqueue, process: processed, oneCommitEach, ledger: ledger.report(), counts };
  } finally {
    await loop.close();
  }
});
