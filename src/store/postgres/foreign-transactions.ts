import type { Clock } from '../../core/clock.ts';
import { ownFile } from '../../own-file.ts';
import type { Transactions } from '../transactions.ts';
import { runForeign } from './foreign-begin.ts';
import { completeForeign } from './foreign-complete.ts';
import type { Prepared } from './remote-complete.ts';
import type { Place } from './url.ts';

export interface ForeignMeans {
  readonly place: Place;
  /** That the store was given; undefined: it has one of its own, which is nobody else's. */
  readonly pool: unknown;
  readonly clock: Clock | undefined;
  /** Throws STORE_CLOSED. */
  readonly requireOpen: (verb: string) => void;
  readonly confirm: Transactions['confirm'];
}

/** Transactions of the caller's, through whichever library opened them. */
export function foreignTransactions(means: ForeignMeans): Transactions {
  const { place, pool, clock, requireOpen, confirm } = means;
  return {
    async run(db, body) {
      requireOpen('transaction');
      await runForeign(db === undefined ? pool : db, body);
    },
    async complete(tx, completion, options) {
      requireOpen('complete');
      return completeForeign(tx, completion, { place, now: options?.now ?? clock?.now() });
    },
    confirm,
    remote: {
      get module() {
        return ownFile('./remote-complete', import.meta.url).href;
      },
      prepare(completion, options): Prepared {
        requireOpen('complete');
        const { schema, host, port, database } = place;
        const now = options?.now ?? clock?.now() ?? null;
        return { completion, place: { schema, host, port, database }, now };
      },
      forget: () => undefined,
    },
  };
}
