import type { Completion } from '../transactions.ts';
import { completeForeign } from './foreign.ts';

/** Completions by handlers in threads and processes: what their host imports (core/transaction-module.ts). */
export interface Prepared {
  readonly completion: Completion;
  readonly file: string;
  /** Null: this machine's clock. */
  readonly now: number | null;
}

export { runForeign as run } from './foreign-begin.ts';

export async function complete(tx: unknown, { completion, file, now }: Prepared) {
  // The store hints where its connections are, when the commit is confirmed.
  return completeForeign(tx, completion, { file, now: now ?? Date.now(), hint: noHint });
}

function noHint(): void {}
