import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/**
 * Puts many jobs into a store's file at once, by SQL on its schema: filling a million through the front door would
 * take longer than what is measured. The file must be Longshore's; waiting jobs are numbered from 0 in their line.
 */
export class Filler {
  readonly #database: DatabaseSync;
  #waiting = 0;

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 5_000 });
    // Nothing of the filling has to survive; the store's own connection commits as it always does.
    this.#database.exec('PRAGMA synchronous = OFF');
  }

  /** Adds waiting jobs behind those that are there. */
  addWaiting(jobs: number): void {
    const from = this.#waiting;
    this.#waiting += jobs;
    this.#database.prepare(ADD_WAITING).run({ from, end: this.#waiting, now: Date.now() });
  }

  /** Adds jobs that completed a while ago. */
  addFinished(jobs: number): void {
    this.#database.prepare(ADD_FINISHED).run({ jobs, now: Date.now() });
  }

  /** Deletes finished jobs, the oldest first, until `kept` are left. Returns how many were deleted. */
  trimFinished(kept: number): number {
    const surplus = this.#count(`SELECT count(*) AS jobs FROM job WHERE state = 'completed'`) - kept;
    if (surplus <= 0) return 0;
    return Number(this.#database.prepare(TRIM).run(surplus).changes);
  }

  /** Copies the write-ahead log into the file, so that what was filled in is at rest. */
  settle(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#database.close();
  }

  #count(sql: string, ...values: SQLInputValue[]): number {
    return (this.#database.prepare(sql).get(...values) as { jobs: number }).jobs;
  }
}

const ADD_WAITING = `
  WITH RECURSIVE number (n) AS (SELECT :from UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :end)
  INSERT INTO job (id, queue, task, state, priority, attempts_max, created_at, due_at, input)
  SELECT printf('00000000-0000-7000-8000-%012x', n), 'default', 'noop', 'ready', 0, 3, :now, :now,
    printf('{"n":%d}', n)
  FROM number WHERE :from < :end`;

const ADD_FINISHED = `
  WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :jobs)
  INSERT INTO job (id, queue, task, state, priority, attempt, attempts_max, created_at, due_at, started_at,
    finished_at, input)
  SELECT printf('00000000-0000-7000-9000-%012x', n), 'default', 'noop', 'completed', 0, 1, 3, :now - 60000,
    :now - 60000, :now - 60000, :now - 60000, '{"n":0}'
  FROM number`;

const TRIM = `
  DELETE FROM job WHERE seq IN (
    SELECT seq FROM job INDEXED BY job_finished
    WHERE finished_at IS NOT NULL AND state = 'completed' AND queue = 'default' ORDER BY finished_at, seq LIMIT +?)`;
