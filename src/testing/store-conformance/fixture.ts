import type { Store, StoreOptions } from '../../store/store.ts';

/** How the suite gets its stores: what the author of a store writes. */
export type OpenFixture = (options: StoreOptions) => Promise<StoreFixture>;

export interface StoreFixture {
  readonly store: Store;
  /** One more connection to the same data, also after `store` was closed. Needed where capabilities.shared or .durable. */
  readonly reopen?: () => Promise<Store>;
  /** Opens a transaction of a user's on the store's database. Needed where capabilities.transactions. */
  readonly begin?: () => Promise<FixtureTransaction>;
  /** Closes what was opened and deletes the data. */
  readonly close: () => Promise<void>;
}

export interface FixtureTransaction {
  /** As EnqueueCall.tx. */
  readonly tx: object;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}
