import { isTerminal } from '../core/job-state.ts';
import type { Outcome } from '../core/outcome.ts';
import { planRefIn } from '../core/plan.ts';
import type { Lease, SettleReceipt } from '../store/store.ts';

/** The plans that jobs of this batch reported to by ending; null for none, as for most batches. */
export function plansOf(
  batch: readonly { readonly lease: Lease }[],
  receipts: readonly SettleReceipt[],
): ReadonlySet<string> | null {
  let plans: Set<string> | null = null;
  for (const [index, { lease }] of batch.entries()) {
    if (lease.meta === null) continue;
    const receipt = receipts[index] as SettleReceipt;
    const ref = receipt.status === 'settled' && isTerminal(receipt.state) ? planRefIn(lease.meta) : null;
    if (ref === null) continue;
    plans ??= new Set();
    plans.add(ref.plan);
  }
  return plans;
}

/** With more jobs than this in a batch, an exchange of its own for their plans is little a job. */
const AHEAD_JOBS_MAX = 8;

/** The plans that jobs of this batch are about to report to by completing. */
export function plansAhead(
  batch: readonly { readonly lease: Lease; readonly outcome: Outcome }[],
): readonly string[] {
  if (batch.length > AHEAD_JOBS_MAX) return [];
  const plans = batch.flatMap(({ lease, outcome }) =>
    outcome.type === 'completed' ? (planRefIn(lease.meta)?.plan ?? []) : [],
  );
  return [...new Set(plans)];
}
