import { charsOfSettlement, sumOf } from '../core/batch.ts';
import { isTerminal } from '../core/job-state.ts';
import type { ControlReceipt, JobCommand, Settlement, Store } from '../store/store.ts';
import type { Completion, ConfirmReceipt, Transactions } from '../store/transactions.ts';
import type { FarEnds } from './far-ends.ts';
import type { End } from './job-end.ts';
import type { Watch } from './watch.ts';

/**
 * The store as the clients and workers of one connection use it: ends of jobs that they write reach those who await
 * them here, since a queue may keep nothing of ended jobs, and the other connections that ask (far-ends.ts). Where nobody waits,
 * a batch costs one look.
 */
export function hearEnds(store: Store, watch: Watch, far: FarEnds | null): Store {
  const ears = { watch, far };
  return {
    ...store,
    settle: (settlements, options) => heard(ears, settlements, store.settle(settlements, options), settled),
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
      void heard(ears, ends, receipts, settled).catch(() => undefined);
      return write;
    },
    control: (commands, options) => heard(ears, commands, store.control(commands, options), controlled),
    transactions: store.transactions && hearCompletions(store.transactions, ears),
  };
}

/** `write` has begun; `endOf` says how it ended a job. */
async function heard<Item extends { readonly id: string }, Receipt>(
  { watch, far }: Ears,
  items: readonly Item[],
  write: Promise<Receipt[]>,
  endOf: (item: Item, receipt: Receipt | undefined) => End | null,
): Promise<Receipt[]> {
  watch.writes(items);
  far?.writes(write);
  let receipts: Receipt[] = [];
  try {
    receipts = await write;
    return receipts;
  } finally {
    watch.wrote(items, (item, index) => endOf(item, receipts[index]));
    const endAt = (index: number): End | null => endOf(items[index] as Item, receipts[index]);
    far?.wrote({ items, endAt, chars: () => sumOf(items, charsOf) });
  }
}

interface Ears {
  readonly watch: Watch;
  readonly far: FarEnds | null;
}

function charsOf(item: object): number {
  return 'outcome' in item ? charsOfSettlement(item as Settlement) : COMMAND_CHARS;
}

const COMMAND_CHARS = 200;

/** From the completion on, its transaction may commit at any time: the job then is gone, and known here until it is confirmed. */
function hearCompletions(transactions: Transactions, { watch, far }: Ears): Transactions {
  const open = new Map<string, readonly Completion[]>();
  const end = (token: string, endOf: () => End | null): void => {
    const jobs = open.get(token);
    open.delete(token);
    if (jobs !== undefined) watch.wrote(jobs, endOf);
  };
  const begin = (completion: Completion): void => {
    const jobs = [completion];
    open.set(completion.token, jobs);
    watch.writes(jobs);
  };
  return {
    ...transactions,
    async complete(tx, completion, options) {
      const { token } = completion;
      begin(completion);
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
      const confirming = transactions.confirm(completions, options);
      far?.writes(confirming);
      const receipts = await confirming;
      const endAt = (index: number): End | null => settled(completions[index] as Completion, receipts[index]);
      far?.wrote({ items: completions, endAt, chars: () => sumOf(completions, charsOfSettlement) });
      for (const [index, receipt] of receipts.entries()) {
        const completion = completions[index] as Completion;
        if (receipt.status !== 'open') end(completion.token, () => settled(completion, receipt));
      }
      return receipts;
    },
    remote: {
      get module() {
        return transactions.remote.module;
      },
      prepare(completion, options) {
        const prepared = transactions.remote.prepare(completion, options);
        begin(completion);
        return prepared;
      },
      forget(completion) {
        end(completion.token, () => null);
        transactions.remote.forget(completion);
      },
    },
  };
}

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
