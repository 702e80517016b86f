import type { Completion } from '../transactions.ts';
import { runForeign } from './foreign-begin.ts';
import { completeForeign, type ForeignPlace } from './foreign-complete.ts';

/**
 * Completions by handlers in threads and processes: what their host imports (core/transaction-module.ts). It connects to
 * nothing by itself, and loads no driver.
 */
export interface Prepared {
  readonly completion: Completion;
  readonly place: ForeignPlace;
  /** Null: the server's clock. */
  readonly now: number | null;
}

export function run(db: unknown, body: (tx: object) => Promise<void>): Promise<void> {
  return runForeign(db, body);
}

export function complete(tx: unknown, { completion, place, now }: Prepared) {
  return completeForeign(tx, completion, { place, now: now ?? undefined });
}
