import { mkdir } from 'node:fs/promises';
import type { JobContext, Longshore } from '../../src/index.ts';
import { fileTask, flakyTask, type Run } from './tasks.ts';
import { walk } from './walk.ts';

/** A batch is one transaction: large enough to be quick, small enough to let claims through in between. */
const BATCH = 1_000;

export interface Planned {
  /** Jobs enqueued for files; the two deliberate ones are not counted. */
  readonly files: number;
  readonly others: number;
  readonly closed: { readonly path: string; readonly reason: string }[];
}

/** Enqueues the run's jobs. Run again after a crash it enqueues the same ones: those that are there already are found by their unique keys. */
export async function plan(longshore: Longshore, context: JobContext<Run>): Promise<Planned> {
  const { input, queue, signal, progress } = context;
  await mkdir(input.trap, { recursive: true });
  await longshore.enqueue(fileTask, { path: input.trap }, { queue });
  await longshore.enqueue(flakyTask, { failures: 2 }, { queue });
  const planned = { files: 0, others: 0, closed: [] as { path: string; reason: string }[] };
  let batch: { path: string }[] = [];
  const flush = async (): Promise<void> => {
    signal.throwIfAborted();
    await longshore.enqueueMany(fileTask, batch, { queue });
    planned.files += batch.length;
    progress({ files: planned.files });
    batch = [];
  };
  for await (const found of walk(input.folder, input.storeFile)) {
    if (found.type === 'other') planned.others += 1;
    if (found.type === 'closed') planned.closed.push({ path: found.path, reason: found.reason });
    if (found.type === 'file') batch.push({ path: found.path });
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return planned;
}
