import { randomUUID } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/**
 * The ceiling: what a loop written by hand for one purpose reaches on the same store. Same file format (Longshore made
 * the file), same pragmas, same durability (a commit a batch, synchronous=FULL), same retention (finished jobs stay),
 * same payload, warmed up by as many jobs. It writes and reads JSON, makes time-ordered ids and fences by a lease number, and nothing more:
 * synchronous, on one thread, no leases that expire, no retries, no priorities of tasks, no events.
 */
export class HandWrittenLoop {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #claim: StatementSync;
  readonly #complete: StatementSync;
  readonly #idPrefix = randomUUID().slice(0, 24);
  #ids = 0;
  #leases = 0;

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 5_000 });
    this.#database.exec(PRAGMAS);
    this.#insert = this.#database.prepare(INSERT);
    this.#claim = this.#database.prepare(CLAIM);
    this.#complete = this.#database.prepare(COMPLETE);
  }

  /** The same on other jobs first, which are deleted then. */
  warmUp(inputs: readonly unknown[], batch: number): void {
    this.enqueue(inputs, batch);
    this.process(batch, () => undefined);
    this.#database.exec('DELETE FROM job');
  }

  /** One transaction a batch. */
  enqueue(inputs: readonly unknown[], batch: number): void {
    for (let start = 0; start < inputs.length; start += batch) {
      const now = Date.now();
      const end = Math.min(start + batch, inputs.length);
      this.#database.exec('BEGIN IMMEDIATE');
      for (let index = start; index < end; index += 1)
        this.#insert.run(this.#newId(), JSON.stringify(inputs[index]), now, now);
      this.#database.exec('COMMIT');
    }
  }

  /** One transaction a batch: completes the batch before and claims the next. Returns how many jobs were completed. */
  process(batch: number, handler: (input: unknown) => unknown): number {
    let completed = 0;
    let done: Done[] = [];
    for (;;) {
      const now = Date.now();
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { seq, lease, result } of done)
        completed += Number(this.#complete.run(result, now, seq, lease).changes);
      const lease = ++this.#leases;
      const rows = this.#claim.all(lease, now, batch) as unknown as Claimed[];
      this.#database.exec('COMMIT');
      if (rows.length === 0) return completed;
      done = rows.map(({ seq, input }) => {
        const result = handler(JSON.parse(input));
        return { seq, lease, result: result === undefined ? null : JSON.stringify(result) };
      });
    }
  }

  /** Inserts one row in a transaction of its own. */
  commitOne(input: unknown): void {
    const now = Date.now();
    this.#insert.run(this.#newId(), JSON.stringify(input), now, now);
  }

  count(state: string): number {
    const count = this.#database.prepare('SELECT count(*) AS jobs FROM job WHERE state = ?');
    return (count.get(state) as { jobs: number }).jobs;
  }

  close(): void {
    this.#database.close();
  }

  /** As long as a UUID, in order, so that the index on ids grows at its end as Longshore's does. */
  #newId(): string {
    this.#ids += 1;
    return this.#idPrefix + this.#ids.toString(16).padStart(12, '0');
  }
}

interface Claimed {
  readonly seq: number;
  readonly input: string;
}

interface Done {
  readonly seq: number;
  readonly lease: number;
  readonly result: string | null;
}

/** As the store sets them: src/store/sqlite/database.ts. */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -16000;
  PRAGMA temp_store = MEMORY`;

const INSERT = `
  INSERT INTO job (id, queue, task, state, priority, input, attempts_max, created_at, due_at)
  VALUES (?, 'default', 'noop', 'ready', 0, ?, 3, ?, ?)`;

const CLAIM = `
  UPDATE job SET state = 'running', lease = ?, attempt = attempt + 1, started_at = ? WHERE seq IN (
    SELECT seq FROM job WHERE state = 'ready' AND turn = 0 AND queue = 'default'
    ORDER BY priority, seq LIMIT ?)
  RETURNING seq, input`;

const COMPLETE = `
  UPDATE job SET state = 'completed', result = ?, finished_at = ?, lease = NULL
  WHERE seq = ? AND lease = ? AND state = 'running'`;
