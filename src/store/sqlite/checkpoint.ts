import type { Connection } from './connection.ts';

/** No write for so long counts as idle. */
const IDLE_MS = 1_000;

/**
 * Copies the write-ahead log into the database file while the store is idle, so that a store that works in bursts does
 * not pay for it with a slow commit. Under steady load SQLite does it by itself every 4,000 pages (database.ts).
 */
export class Checkpointer {
  readonly #db: Connection;
  #timer: NodeJS.Timeout | null = null;

  constructor(db: Connection) {
    this.#db = db;
  }

  committed(): void {
    if (this.#timer === null) this.#timer = setTimeout(() => this.#checkpoint(), IDLE_MS);
    else this.#timer.refresh();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #checkpoint(): void {
    this.#timer = null;
    try {
      // PASSIVE waits for nobody: it copies what no reader still needs.
      this.#db.get('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // Another process is at it, or the disk is full: the next commits will tell.
    }
  }
}
