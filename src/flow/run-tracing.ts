import type { Sending, Sent } from '../core/tracing.ts';
import type { NewRun } from './run-plan.ts';

/** A start as a tracer sees it. */
export function sentOf({ id, flow, meta }: NewRun): Sent {
  return { kind: 'run', id, queue: null, name: flow, meta };
}

/** Runs with the trace context that a tracer gave them. */
export function traced(runs: readonly NewRun[], { metas }: Sending): NewRun[] {
  return runs.map((run, index) => ({ ...run, meta: metas[index] ?? null }));
}
