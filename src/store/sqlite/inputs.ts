import type { Tx } from './rows.ts';

/**
 * Where a job's input is kept. SQLite writes a whole row for every change of it, overflow pages included, so a large
 * input in the row would be written three times: by enqueue, claim and settle. Inputs beyond INPUT_CHARS_MAX lie in a
 * table of their own, and the row's own column is null.
 */
const INPUT_CHARS_MAX = 1_000;

/** The input of a job wherever it lies, in a statement on the table `job`. */
export const WHOLE_INPUT = 'coalesce(job.input, (SELECT input FROM job_input WHERE job_input.seq = job.seq))';

/** What stands in the job's row. */
export function rowInput(input: string | null): string | null {
  return isApart(input) ? null : input;
}

/** Keeps what does not stand in the row; to be called after the row was inserted. */
export function keepInput(tx: Tx, id: string, input: string | null): void {
  if (!isApart(input)) return;
  tx.db.run('INSERT INTO job_input (seq, input) SELECT seq, ? FROM job WHERE id = ?', input, id);
}

/** Keeps another input for a job, in place of the one before. */
export function changeInput(
  tx: Tx,
  job: { readonly seq: number; readonly id: string },
  input: string | null,
): void {
  tx.db.run('DELETE FROM job_input WHERE seq = ?', job.seq);
  keepInput(tx, job.id, input);
}

/** Whether an input is too large for the row. */
export function isApart(input: string | null): boolean {
  return input !== null && input.length > INPUT_CHARS_MAX;
}
