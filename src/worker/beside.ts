import type { Outcome } from '../core/outcome.ts';
import type { PlanChange } from '../store/plans.ts';
import type { Lease, SettleReceipt, Store } from '../store/store.ts';

/**
 * Changes of plans that are written in the commit of an outcome, as one unit: the steps of a job that completed are deleted
 * with it, and what a job waits for is written as it is put off. A plan that somebody else changed meanwhile is read again.
 */
export interface Beside {
  /** Once it is written: it is not written again when another one of its batch is. */
  receipt: SettleReceipt | null;
  changes(): readonly PlanChange[];
  /** The outcome as it is by now. */
  outcome(first: Outcome): Outcome;
  refresh(): Promise<void>;
}

interface EndBeside {
  readonly lease: Lease;
  readonly outcome: Outcome;
  readonly beside: Beside | null;
}

export async function settleBeside(store: Store, ends: readonly EndBeside[]): Promise<SettleReceipt[]> {
  for (;;) {
    const left = ends.flatMap(({ lease, outcome, beside }) =>
      beside === null || beside.receipt !== null ? [] : [{ lease, outcome, beside }],
    );
    if (left.length === 0) return ends.map(({ beside }) => beside?.receipt ?? { status: 'lost' });
    const units = left.map(({ lease, outcome, beside }) => ({
      settle: { id: lease.id, token: lease.token, outcome: beside.outcome(outcome) },
      plans: beside.changes(),
    }));
    const receipts = await store.commit(units);
    const conflicts: Promise<void>[] = [];
    for (const [index, { status, settled }] of receipts.entries()) {
      const { beside } = left[index] as (typeof left)[number];
      if (status === 'conflict') conflicts.push(beside.refresh());
      else beside.receipt = settled ?? { status: 'lost' };
    }
    await Promise.all(conflicts);
  }
}
