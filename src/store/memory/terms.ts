import { type TermFilter, termsOf, termsWanted } from '../../core/terms.ts';
import type { JobRow } from './records.ts';

/** Jobs by their correlation ids and tags (core/terms.ts). A job without any is not in here. */
export class Terms {
  readonly #jobs = new Map<string, Set<JobRow>>();

  add(job: JobRow): void {
    for (const term of termsOf(job.meta)) {
      const jobs = this.#jobs.get(term) ?? new Set();
      this.#jobs.set(term, jobs.add(job));
    }
  }

  /** With the meta that the job had when it was added. */
  remove(job: JobRow, meta: string | null): void {
    for (const term of termsOf(meta)) {
      const jobs = this.#jobs.get(term);
      jobs?.delete(job);
      if (jobs?.size === 0) this.#jobs.delete(term);
    }
  }

  /** Jobs that may fit, by ascending seq; null where the filter names neither. `root`: the job whose id is the correlation id. */
  among(filter: TermFilter, root: JobRow | undefined): JobRow[] | null {
    const [first] = termsWanted(filter);
    if (first === undefined) return null;
    const found = new Set(this.#jobs.get(first));
    if (root !== undefined) found.add(root);
    return [...found].sort((one, other) => one.seq - other.seq);
  }
}
