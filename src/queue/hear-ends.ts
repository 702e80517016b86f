import { isTerminal } from '../core/job-state.ts';
import type { ControlReceipt, JobCommand, Settlement, Store } from '../store/store.ts';
import type { Completion, ConfirmReceipt, Transactions } from '../store/transactions.ts';
import type { JobEnd, Watch } from './watch.ts';

/**
 * The store as the clients and workers of one connection use it: ends of jobs that they write reach those who await
 * them here, since a queue may keep nothing of ended jobs. Where nobody waits, a batch costs one look.
 */
export function hearEnds(store: Store, watch: Watch): Store {
  return {
    ...store,
    settle: (settlements, options) => heard(watch, settlements, store.settle(settlements, options), settled),
    commit: (units, options) => {
      const write = store.commit(units, options);
      const ends = units.flatMap(({ settle }) => settle ?? []);
      if (ends.length === 0) return write;
      const receipts = write.then((all) =>
        units.flatMap(({ settle }, index) =>
          settle === undefined ? [] : [all[index]?.settled ?? ({ status: 'lost' } as const)],
        ),
      );
      // Who commits hears of a failure himself.
      void heard(watch, ends, receipts, settled).catch(() => undefined);
      return write;
    },
    control: (commands, options) => heard(watch, commands, store.control(commands, options), controlled),
    transactions: store.transactions && hearCompletions(store.transactions, watch),
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

/** From the completion on, its transaction may commit at any time: the job then is gone, and known here until it is confirmed. */
function hearCompletions(transactions: Transactions, watch: Watch): Transactions {
  const open = new Map<string, readonly Completion[]>();
  const end = (token: string, endOf: () => End | null): void => {
    const jobs = open.get(token);
    open.delete(token);
    if (jobs !== undefined) watch.wrote(jobs, endOf);
  };
  return {
    ...transactions,
    async complete(tx, completion, options) {
      const { token } = completion;
      const jobs = [completion];
      open.set(token, jobs);
      watch.writes(jobs);
      try {
        const receipt = await transactions.complete(tx, completion, options);
        if (receipt.status === 'lost') end(token, () => null);
        return receipt;
      } catch (error) {
        end(token, () => null);
        throw error;
      }
    },
    async confirm(completions, options) {
      const receipts = await transactions.confirm(completions, options);
      for (const [index, receipt] of receipts.entries()) {
        const completion = completions[index] as Completion;
        if (receipt.status !== 'open') end(completion.token, () => settled(completion, receipt));
      }
      return receipts;
    },
  };
}

type End = Omit<JobEnd, 'job'>;

/** The settle rule may have decided otherwise than the worker: a cancel won, or no attempt was left. */
function settled({ outcome }: Settlement, receipt: ConfirmReceipt | undefined): End | null {
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
