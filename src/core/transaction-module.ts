/**
 * For handlers in threads and processes that complete their job in a transaction of their own, a store has a module
 * that their host imports, so that the transaction, its connection and the pool it comes from never leave the host.
 * Its description of a store goes from the worker to the host as JSON.
 */
export interface TransactionModule {
  /** As Transactions.run of the store (store/transactions.ts). */
  run(db: unknown, body: (tx: object) => Promise<void>): Promise<void>;
  /** As Transactions.complete; `prepared` is what RemoteTransactions.prepare returned. */
  complete(tx: unknown, prepared: unknown): Promise<{ readonly status: 'settled' | 'lost' }>;
}
