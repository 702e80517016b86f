/**
 * Whether each job ran exactly once: a count by the job's number. A measurement whose jobs did not is no measurement,
 * so every command fails then, and gives no figures.
 */
export class Ledger {
  readonly #runs: Uint8Array;
  readonly #sabotage: Sabotage | null;
  #strangers = 0;

  constructor(jobs: number, sabotage: Sabotage | null = null) {
    this.#runs = new Uint8Array(jobs);
    this.#sabotage = sabotage;
  }

  /** Job `n` ran. */
  mark(n: number): void {
    const runs = this.#runs[n];
    if (runs === undefined) this.#strangers += 1;
    else if (runs < 255) this.#runs[n] = runs + 1;
  }

  /** What another process ran: how often, by the job's number. */
  add(runs: Uint8Array, strangers: number): void {
    for (const [n, times] of runs.entries()) this.#runs[n] = Math.min(255, (this.#runs[n] ?? 0) + times);
    this.#strangers += strangers;
  }

  report(): LedgerReport {
    if (this.#sabotage !== null && this.#runs.length > 0) this.#runs[0] = this.#sabotage === 'lost' ? 0 : 2;
    const missing: number[] = [];
    const repeated: number[] = [];
    for (const [n, runs] of this.#runs.entries()) {
      if (runs === 0) missing.push(n);
      else if (runs > 1) repeated.push(n);
    }
    return {
      jobs: this.#runs.length,
      missing: missing.length,
      repeated: repeated.length,
      strangers: this.#strangers,
      examples: { missing: missing.slice(0, EXAMPLES), repeated: repeated.slice(0, EXAMPLES) },
    };
  }
}

/** Falsifies the report on purpose, to prove that a lost or repeated job is noticed. */
export type Sabotage = 'lost' | 'repeated';

export interface LedgerReport {
  readonly jobs: number;
  /** Jobs whose handler never ran. */
  readonly missing: number;
  /** Jobs whose handler ran more than once. */
  readonly repeated: number;
  /** Runs of jobs with a number nobody gave out. */
  readonly strangers: number;
  readonly examples: { readonly missing: readonly number[]; readonly repeated: readonly number[] };
}

const EXAMPLES = 5;

/** What a program saw of its jobs. */
export interface Evidence {
  readonly ledger: LedgerReport;
  /** Jobs in the store's queue by state, after the worker stopped. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A check of a measurement did not hold; there are no figures then. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

/** Throws CheckFailed unless each of `jobs` ran exactly once and is `completed` in the store, and nothing else is there. */
export function requireExactlyOnce(what: string, jobs: number, { ledger, counts }: Evidence): void {
  const faults: string[] = [];
  if (ledger.jobs !== jobs) faults.push(`${ledger.jobs} jobs were expected to run, not ${jobs}`);
  if (ledger.missing > 0)
    faults.push(`${ledger.missing} jobs never ran (e.g. number ${ledger.examples.missing.join(', ')})`);
  if (ledger.repeated > 0)
    faults.push(
      `${ledger.repeated} jobs ran more than once (e.g. number ${ledger.examples.repeated.join(', ')})`,
    );
  if (ledger.strangers > 0) faults.push(`${ledger.strangers} runs were of unknown jobs`);
  const { completed = 0 } = counts;
  if (completed !== jobs) faults.push(`${completed} jobs are completed in the store`);
  for (const [state, count] of Object.entries(counts))
    if (state !== 'completed' && count > 0) faults.push(`${count} jobs are ${state} in the store`);
  if (faults.length === 0) return;
  throw new CheckFailed(
    `${what}: each of ${jobs} jobs must run exactly once, but ${faults.join('; ')}. No figures are given.`,
  );
}
