import { Filler } from '../fill-sqlite.ts';
import { type Evidence, Ledger, type Sabotage } from '../ledger.ts';
import { connect, type Longshore, type Worker } from '../longshore.ts';
import { program } from '../program.ts';
import { countJobs, noopTask } from '../workload.ts';

/**
 * Times claims and settles on two files that differ in one number: how many jobs wait, or how many are finished. Both
 * are measured in turns, in rounds of a few claims. Before each round both numbers are set to what they are to be, and
 * one claim that does not count brings the connection's cache up to date. Times are those of the verbs as a worker
 * sees them (`store.called`), the hop to the store's thread and the commit included.
 */
export interface ClaimCostSettings {
  readonly files: readonly [string, string];
  readonly vary: 'waiting' | 'finished';
  readonly levels: readonly [number, number];
  /** Timed claims on each file. */
  readonly claims: number;
  /** Jobs a claim. */
  readonly claimSize: number;
  readonly sabotage: Sabotage | null;
}

export interface ClaimCostRun {
  readonly cells: readonly [ClaimCostCell, ClaimCostCell];
}

export interface ClaimCostCell extends Evidence {
  /** Jobs of the level at least and at most while claims were timed. */
  readonly level: readonly [number, number];
  readonly jobs: number;
  readonly claimMs: Float64Array;
  readonly settleMs: Float64Array;
}

const CLAIMS_PER_ROUND = 10;

program<ClaimCostSettings, ClaimCostRun>(async (settings) => {
  const sites = await Promise.all([Site.open(settings, 0), Site.open(settings, 1)]);
  for (let round = 0; round * CLAIMS_PER_ROUND < settings.claims; round += 1)
    for (const site of sites) await site.round();
  const [small, large] = await Promise.all(sites.map((site) => site.close()));
  return { cells: [small as ClaimCostCell, large as ClaimCostCell] };
});

/** One file with its worker. */
class Site {
  readonly #longshore: Longshore;
  readonly #filler: Filler;
  readonly #settings: ClaimCostSettings;
  readonly #level: number;
  readonly #ledger: Ledger;
  readonly #worker: Worker;
  readonly #claimMs: number[] = [];
  readonly #settleMs: number[] = [];
  /** Of the verbs called since they were last set to 0, ms. */
  #took = { claim: 0, settle: 0 };
  #deleted = 0;

  static async open(settings: ClaimCostSettings, which: 0 | 1): Promise<Site> {
    return new Site(await connect(`sqlite:${settings.files[which]}`), settings, which);
  }

  constructor(longshore: Longshore, settings: ClaimCostSettings, which: 0 | 1) {
    const { claims, claimSize, sabotage } = settings;
    this.#longshore = longshore;
    this.#settings = settings;
    this.#level = settings.levels[which];
    this.#ledger = new Ledger(Math.ceil(claims / CLAIMS_PER_ROUND) * this.#roundJobs(), sabotage);
    this.#filler = new Filler(settings.files[which]);
    this.#worker = longshore.worker({
      tasks: [noopTask(this.#ledger)],
      concurrency: claimSize,
      roles: ['processing'],
    });
    longshore.on('store.called', ({ verb, tookMs }) => {
      if (verb === 'claim' || verb === 'settle') this.#took[verb] += tookMs;
    });
    if (settings.vary === 'waiting') this.#filler.addWaiting(this.#level);
    else this.#filler.addFinished(this.#level);
    this.#filler.settle();
  }

  async round(): Promise<void> {
    this.#filler.addWaiting(this.#roundJobs());
    this.#deleted += this.#filler.trimFinished(this.#finishedAtRest());
    await this.#claim();
    for (let claim = 0; claim < CLAIMS_PER_ROUND; claim += 1) {
      const { claim: claimMs, settle: settleMs } = await this.#claim();
      this.#claimMs.push(claimMs);
      this.#settleMs.push(settleMs);
    }
  }

  async close(): Promise<ClaimCostCell> {
    const { completed = 0, ready = 0, ...others } = await countJobs(this.#longshore);
    await this.#longshore.close();
    this.#filler.close();
    const counts = {
      ...others,
      completed: completed + this.#deleted - this.#finishedAtRest(),
      ready: ready - (this.#settings.vary === 'waiting' ? this.#level : 0),
    };
    const ledger = this.#ledger.report();
    return {
      level: [this.#level, this.#level + this.#roundJobs()],
      jobs: ledger.jobs,
      claimMs: Float64Array.from(this.#claimMs),
      settleMs: Float64Array.from(this.#settleMs),
      ledger,
      counts,
    };
  }

  /** Claims, runs and settles one batch. The outcomes may be written in several parts; together they are one settlement. */
  async #claim(): Promise<{ readonly claim: number; readonly settle: number }> {
    this.#took = { claim: 0, settle: 0 };
    const { completed } = await this.#worker.runOnce();
    const { claimSize } = this.#settings;
    if (completed !== claimSize) throw new Error(`A claim brought ${completed} jobs, not ${claimSize}.`);
    return this.#took;
  }

  #finishedAtRest(): number {
    return this.#settings.vary === 'finished' ? this.#level : 0;
  }

  #roundJobs(): number {
    return (CLAIMS_PER_ROUND + 1) * this.#settings.claimSize;
  }
}
