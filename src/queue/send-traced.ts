import type { Sent, Tracing } from '../core/tracing.ts';
import type { JobSpec } from '../store/store.ts';

/** Stores jobs with the context of this call in their metas. */
export async function sendTraced<Receipts>(
  tracing: Tracing,
  specs: readonly JobSpec[],
  write: (specs: readonly JobSpec[]) => Promise<Receipts>,
): Promise<Receipts> {
  const sending = tracing.send(specs.map(sentOf));
  if (sending === null) return write(specs);
  try {
    const traced = specs.map((spec, index) => ({ ...spec, meta: sending.metas[index] ?? null }));
    const receipts = await write(traced);
    sending.end();
    return receipts;
  } catch (error) {
    sending.end(error);
    throw error;
  }
}

function sentOf({ id, queue, task, meta = null }: JobSpec): Sent {
  return { kind: 'job', id, queue, name: task, meta };
}
