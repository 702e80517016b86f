import { TERMINAL_STATES, type TerminalState } from '../../core/job-state.ts';
import { type Keep, RETENTION_DEFAULT, type Retention } from '../store.ts';
import { isRetention, parseStored } from '../stored-settings.ts';
import type { JobRow, Tx } from './rows.ts';
import { dropTerms, dropTermsOf } from './terms.ts';

/** Which queues keep no finished jobs at all. Few queues, usually none: read once a verb. */
export class Drops {
  readonly #retentions: ReadonlyMap<string, Retention>;

  constructor(retentions: ReadonlyMap<string, Retention>) {
    this.#retentions = retentions;
  }

  get none(): boolean {
    return this.#retentions.size === 0;
  }

  has(queue: string, state: TerminalState): boolean {
    const retention = this.#retentions.get(queue);
    return retention !== undefined && keepsNothing(retention[state]);
  }
}

export function dropsOf(tx: Tx): Drops {
  const rows = tx.db.all<{ name: string; retention: string }>(
    'SELECT name, retention FROM queue WHERE drops = 1',
  );
  const read = rows.map(({ name, retention }) => [name, parseRetention(retention)] as const);
  return new Drops(new Map(read.filter((entry): entry is [string, Retention] => entry[1] !== null)));
}

/** Null where it cannot be read: then nothing of the queue is deleted. */
export function retentionOf(tx: Tx, queue: string): Retention | null {
  const row = tx.db.get<{ retention: string }>('SELECT retention FROM queue WHERE name = ?', queue);
  return row === undefined ? RETENTION_DEFAULT : parseRetention(row.retention);
}

/** Written by configureQueue alone; null where it cannot be read. */
export function parseRetention(text: string): Retention | null {
  const retention = parseStored(text);
  return isRetention(retention) ? retention : null;
}

export function dropsAny(retention: Retention): boolean {
  return TERMINAL_STATES.some((state) => keepsNothing(retention[state]));
}

function keepsNothing({ ageMs, count }: Keep): boolean {
  return ageMs === 0 || count === 0;
}

/** A job's row and all that goes with it, by seq. */
const JOB_TABLES = ['job_input', 'job_error', 'job_log', 'audit', 'job'] as const;

/** Deletes a job that is not running, and its trail. */
export function deleteJob(tx: Tx, { seq, meta }: Pick<JobRow, 'seq' | 'meta'>): void {
  for (const table of JOB_TABLES) tx.db.run(`DELETE FROM ${table} WHERE seq = ?`, seq);
  dropTerms(tx, seq, meta);
}

export function deleteJobs(tx: Tx, seqs: readonly number[]): void {
  const list = JSON.stringify(seqs);
  dropTermsOf(tx, list);
  for (const table of JOB_TABLES)
    tx.db.run(`DELETE FROM ${table} WHERE seq IN (SELECT value FROM json_each(?))`, list);
}
