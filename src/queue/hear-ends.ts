import { charsOfSettlement, sumOf } from '../core/batch.ts';
import { isTerminal } from '../core/job-state.ts';
import type { ControlReceipt, JobCommand, Settlement, SettleReceipt, Store } from '../store/store.ts';
import type { FarEnds } from './far-ends.ts';
import type { End } from './job-end.ts';
import type { Watch } from './watch.ts';

/**
 * The store as the clients and workers of one connection use it: ends of jobs that they write reach those who await
 * them here, since a queue may keep nothing of ended jobs, and the other connections that ask (far-ends.ts). Where nobody waits,
 * a batch costs one look.
 */
export function hearEnds(store: Store, watch: Watch, far: FarEnds | null): Store {
  return {
    ...store,
    async settle(settlements, options) {
      const write = store.settle(settlements, options);
      far?.writes(write);
      const receipts = await heard(watch, settlements, write, settled);
      far?.wrote({
        items: settlements,
        endAt: (index) => settled(settlements[index] as Settlement, receipts[index]),
        chars: sumOf(settlements, charsOfSettlement),
      });
      return receipts;
    },
    control: (commands, options) => heard(watch, commands, store.control(commands, options), controlled),
  };
}

/** `write` has begun; `endOf` says how it ended a job. */
async function heard<Item extends { readonly id: string }, Receipt>(
  watch: Watch,
  items: readonly Item[],
  write: Promise<Receipt[]>,
  endOf: (item: Item, receipt: Receipt | undefined) => End | null,
): Promise<Receipt[]> {
  watch.writes(items);
  let receipts: Receipt[] = [];
  try {
    receipts = await write;
    return receipts;
  } finally {
    watch.wrote(items, (item, index) => endOf(item, receipts[index]));
  }
}

/** The settle rule may have decided otherwise than the worker: a cancel won, or no attempt was left. */
function settled({ outcome }: Settlement, receipt: SettleReceipt | undefined): End | null {
  if (receipt?.status !== 'settled' || !isTerminal(receipt.state)) return null;
  const result = outcome.type === 'completed' ? outcome.result : null;
  const error = 'error' in outcome ? (outcome.error ?? null) : null;
  return { state: receipt.state, result, error };
}

function controlled(command: JobCommand, receipt: ControlReceipt | undefined): End | null {
  const state = receipt?.status === 'done' ? receipt.state : null;
  if (state === null || !isTerminal(state)) return null;
  return { state, result: command.type === 'resolve' ? command.result : null, error: null };
}
