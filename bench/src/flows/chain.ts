import type { Longshore } from '../longshore.ts';
import { shapeNamed } from './shape.ts';

/** Runs of three steps in a row, one run after the other. */
export async function chain(longshore: Longshore, runs: number): Promise<void> {
  const shape = await shapeNamed('linear3');
  const worker = longshore.worker({ tasks: shape.tasks });
  await worker.start();
  try {
    for (let run = 0; run < runs; run += 1) {
      const handle = await longshore.flows.start(shape.flow, shape.input(run));
      if ((await handle.result()) !== shape.result(run)) throw new Error(`Run ${run} gave another result.`);
    }
  } finally {
    await worker.stop();
  }
}
