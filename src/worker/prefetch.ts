import type { Lease } from '../store/store.ts';

/**
 * How many jobs to hold ready beyond the running ones. Little's law: slots that end a job every `run` ms use up
 * `slots * roundTrip / run` jobs while one claim is under way; holding twice that keeps them busy. Of jobs of up to 100 ms
 * that is one at least: two threads that waited for a claim after every job of 15 ms lost an eighth of the cores. Slower
 * ones, unless there are slots for many, get no prefetch at all, so that no worker hoards what another could run now. Nor is
 * one held for its own sake where claims bring less than they ask for: there is no more, or a limit lets only so many run, and
 * what is held ready would take the place of what another worker could run.
 * What is held ready stays below 32 MB of inputs, as large as the last claim's were on average, and what a claim asks for too. A
 * claim that failed asked for too much, perhaps: the next one asks for half as many.
 * Both times are exponential moving averages, weight 1/8 for a new value (as TCP smooths its round trip, RFC 6298).
 */
export class Prefetch {
  readonly #max: number;
  #roundTripMs = 1;
  #inputChars = 0;
  #claimMax = CLAIM_MAX;
  #runMs = Number.POSITIVE_INFINITY;
  /** Claims in a row that brought all they asked for. */
  #full = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** A claim that brought jobs took this long, and their inputs had so many characters on average. */
  observeClaim(tookMs: number, inputChars = 0): void {
    this.#roundTripMs += (tookMs - this.#roundTripMs) / 8;
    this.#inputChars = inputChars;
  }

  /** A claim of at most `limit` jobs was answered, or failed. */
  observeAnswer(limit: number, answered: boolean): void {
    this.#claimMax = answered ? Math.min(CLAIM_MAX, this.#claimMax * 2) : Math.max(1, Math.ceil(limit / 2));
  }

  /** How long a job holds its slot. */
  get runMs(): number {
    return this.#runMs;
  }

  /** How many jobs a claim may ask for. */
  get claimMax(): number {
    return Math.max(1, Math.floor(Math.min(this.#claimMax, this.#fitting)));
  }

  /** Whether a claim brought as many as it asked for. */
  observeFull(full: boolean): void {
    this.#full = full ? this.#full + 1 : 0;
  }

  /** A job held its slot for this long. */
  observeRun(tookMs: number): void {
    this.#runMs =
      this.#runMs === Number.POSITIVE_INFINITY ? tookMs : this.#runMs + (tookMs - this.#runMs) / 8;
  }

  /**
   * No slot became free while a job waited: whatever was fast before, nothing is held until one has ended. A single one that
   * was given back would be claimed again with the same commit, and never be another worker's.
   */
  observeStall(): void {
    this.#runMs = Number.POSITIVE_INFINITY;
  }

  /** For this many slots; 0 to the maximum. */
  size(slots: number): number {
    const used = (slots * this.#roundTripMs) / Math.max(this.#runMs, 0.001);
    const holdsOne = this.#runMs <= HELD_MS_MAX && this.#full >= FULL_MIN;
    const wanted = holdsOne ? Math.ceil(2 * used) : 2 * used;
    return Math.floor(Math.min(this.#max, this.#fitting, wanted));
  }

  /** Jobs whose inputs are within the bound. */
  get #fitting(): number {
    return INPUT_CHARS_MAX / Math.max(this.#inputChars, 1);
  }
}

/** A claim larger than this gains nothing and holds the store for long. */
const CLAIM_MAX = 1_000;
/** What a job that is held ready for its own sake may wait behind one that runs. */
const HELD_MS_MAX = 100;
/** Two workers that try it under a limit try it seldom enough to lose nothing that can be measured. */
const FULL_MIN = 8;

const INPUT_CHARS_MAX = 32 * 1_024 * 1_024;

/** In characters. */
export function averageInput(leases: readonly Lease[]): number {
  let sum = 0;
  for (const { input } of leases) sum += input?.length ?? 0;
  return sum / leases.length;
}
