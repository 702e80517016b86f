import { randomUUID } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { HandWrittenLoop, LoopCounts } from './ceiling.ts';

/** The loop by hand on SQLite, with the store's pragmas: synchronous, on one thread, a commit a batch. */
export class SqliteLoop implements HandWrittenLoop {
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

  warmUp(inputs: readonly unknown[], batch: number): void {
    this.enqueue(inputs, batch);
    this.process(batch, () => undefined);
    this.#database.exec('DELETE FROM job');
  }

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

  commitOne(input: unknown): void {
    const now = Date.now();
    this.#insert.run(this.#newId(), JSON.stringify(input), now, now);
  }

  listen(): Promise<void> {
    return Promise.reject(new Error('SQLite tells nobody of a commit.'));
  }

  count(): LoopCounts {
    const statement = this.#database.prepare('SELECT count(*) AS jobs FROM job WHERE state = ?');
    const count = (state: string): number => (statement.get(state) as { jobs: number }).jobs;
    return { ready: count('ready'), running: count('running'), completed: count('completed') };
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
    ORDER BY priority, seq LIMIT +?)
  RETURNING seq, input`;

const COMPLETE = `
  UPDATE job SET state = 'completed', result = ?, finished_at = ?, lease = NULL
  WHERE seq = ? AND lease = ? AND state = 'running'`;
