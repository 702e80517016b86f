import { type TermFilter, termsOf, termsWanted } from '../../core/terms.ts';
import type { Tx } from './rows.ts';

/** The table `job_term`: which jobs have a correlation id or a tag (core/terms.ts). Jobs without any take no statement. */

/** For a job that was added, or got another meta. */
export function keepTerms(tx: Tx, id: string, meta: string | null | undefined): void {
  for (const term of termsOf(meta))
    tx.db.run('INSERT OR IGNORE INTO job_term (term, seq) SELECT ?, seq FROM job WHERE id = ?', term, id);
}

export function dropTerms(tx: Tx, seq: number, meta: string | null): void {
  for (const term of termsOf(meta)) tx.db.run('DELETE FROM job_term WHERE term = ? AND seq = ?', term, seq);
}

/** `seqs` is a JSON array. For jobs that are still there. */
export function dropTermsOf(tx: Tx, seqs: string): void {
  const jobs = tx.db.all<{ seq: number; meta: string }>(
    `SELECT seq, meta FROM job
     WHERE EXISTS (SELECT 1 FROM job_term) AND meta IS NOT NULL AND seq IN (SELECT value FROM json_each(?))`,
    seqs,
  );
  for (const { seq, meta } of jobs) dropTerms(tx, seq, meta);
}

/** A SELECT of the seqs of jobs that a filter's terms lead to; null where it names none. */
export function foundBy(
  filter: TermFilter,
): { readonly seqs: string; readonly values: readonly string[] } | null {
  const { correlationId, tag } = filter;
  const terms = termsWanted(filter);
  if (terms.length === 0) return null;
  const withTerm = 'SELECT seq FROM job_term WHERE term = ?';
  const seqs = terms.map(() => withTerm).join(' INTERSECT ');
  if (correlationId === undefined) return { seqs, values: terms };
  const root = `SELECT seq FROM job AS root WHERE root.id = ?
    AND CASE WHEN json_valid(root.meta) THEN json_extract(root.meta, '$.correlationId') IS NULL ELSE 1 END`;
  const tagged = tag === undefined ? '' : ` AND seq IN (${withTerm})`;
  return {
    seqs: `SELECT seq FROM (${seqs}) UNION ALL ${root}${tagged}`,
    values: [...terms, correlationId, ...(tag === undefined ? [] : [`t:${tag}`])],
  };
}
