import type { Bench } from '../bench.ts';
import { Durations } from '../histogram.ts';
import type { Sabotage } from '../ledger.ts';
import { CheckFailed } from '../ledger.ts';
import { describeMachine } from '../machine.ts';
import { openSite } from '../open-site.ts';
import type { Site, StoreKind } from '../site.ts';
import { type Cell, type Figure, type KitDocument, SCHEMA } from './document.ts';
import { digestsInOneMs } from './handlers.ts';
import { MachineWatch } from './machine-probe.ts';
import { recordOf } from './systems.ts';
import { judge } from './targets.ts';
import { TimeLeft } from './time-left.ts';
import { Skipped, type TrialContext, type TrialResult, TrialSettings, unitOf } from './trial.ts';
import { TRIALS } from './trials.ts';
import type { CellPlan, TargetRule } from './workload.ts';

/**
 * The runner: measures the cells of a plan in rounds, A B C, A B C, so that a machine that changes meets all of them alike.
 * The document is handed out after each trial, whole; given back, what it lacks is measured.
 */
export interface RunOptions {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly plans: readonly CellPlan[];
  readonly targets: readonly TargetRule[];
  readonly bench: Bench;
  readonly sabotage: Sabotage | null;
  /** Of servers that run already, by store. */
  readonly urls: Readonly<Partial<Record<StoreKind, string>>>;
  /** Where it was interrupted. */
  readonly before: KitDocument | null;
  readonly save: (document: KitDocument) => void;
}

export async function measureCells(options: RunOptions): Promise<KitDocument> {
  const { plans, bench } = options;
  const run = new Run(options);
  const rounds = Math.max(...plans.map((plan) => plan.rounds));
  try {
    bench.progress.start(run.left.trials);
    for (let round = 0; round < rounds; round += 1)
      for (const plan of plans) if (round < plan.rounds) await run.once(plan, round);
    return run.finish();
  } finally {
    await run.close();
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #context: TrialContext;
  readonly #watch: MachineWatch;
  readonly #sites = new Map<StoreKind, Promise<Site>>();
  readonly #began = performance.now();
  readonly left: TimeLeft;
  #document: KitDocument;

  constructor(options: RunOptions) {
    const { bench, command, plans, before } = options;
    this.#options = options;
    this.#watch = new MachineWatch(bench.workspace.folder);
    const { signal, ...others } = bench;
    const site = (store: StoreKind): Promise<Site> => this.#site(store);
    this.#context = { ...others, signal, site, digests: digestsInOneMs(), sabotage: options.sabotage };
    this.#document = before ?? {
      schema: SCHEMA,
      command,
      arguments: [...options.arguments],
      startedAt: new Date().toISOString(),
      tookMs: 0,
      complete: false,
      roundsWanted: Math.max(...plans.map((plan) => plan.rounds)),
      machine: describeMachine(bench.workspace.folder),
      before: this.#watch.probe(),
      after: null,
      servers: [],
      systems: [],
      cells: [],
      targets: [],
    };
    this.left = new TimeLeft(plans, (plan) => this.#roundsOf(plan));
  }

  /** One trial, unless an earlier command made it. */
  async once(plan: CellPlan, round: number): Promise<void> {
    if (this.#roundsOf(plan) > round) return;
    const { progress, signal } = this.#options.bench;
    signal.throwIfAborted();
    const began = performance.now();
    await progress.step(`${this.left.text()} ${plan.id} ${round + 1}/${plan.rounds}`, () =>
      this.#trial(plan),
    );
    this.left.done(plan, performance.now() - began);
    this.#save({});
  }

  finish(): KitDocument {
    this.#save({ complete: true, after: this.#watch.probe() });
    return this.#document;
  }

  async close(): Promise<void> {
    for (const store of this.#sites.keys()) await (await this.#opened(store))?.close();
  }

  async #trial(plan: CellPlan): Promise<void> {
    const trial = TRIALS[plan.trial];
    if (trial === undefined)
      throw new Error(
        `There is no trial ${JSON.stringify(plan.trial)}; there are ${Object.keys(TRIALS).join(', ')}.`,
      );
    try {
      const result = await trial(new TrialSettings(plan.settings), this.#context);
      await this.#recordSystem(plan, result.version ?? null);
      this.#put(withResult(this.#cellOf(plan), result));
    } catch (error) {
      this.#options.bench.signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      const skipped = error instanceof Skipped;
      this.#put({ ...this.#cellOf(plan), status: skipped ? 'skipped' : 'failed', reason, figures: {} });
      this.#options.bench.progress.note(`${plan.id}: ${skipped ? 'skipped' : 'failed'}. ${reason}`);
      if (error instanceof CheckFailed || skipped) await this.#recordSystem(plan, null);
    }
  }

  /** Rounds that need no more measuring. */
  #roundsOf(plan: CellPlan): number {
    const cell = this.#document.cells.find(({ id }) => id === plan.id);
    if (cell === undefined) return 0;
    if (cell.status !== 'done') return Number.POSITIVE_INFINITY;
    return Math.max(0, ...Object.values(cell.figures).map(({ values }) => values.length));
  }

  #cellOf(plan: CellPlan): Cell {
    return (
      this.#document.cells.find(({ id }) => id === plan.id) ?? {
        id: plan.id,
        system: String(plan.settings.system ?? 'longshore'),
        benchmark: plan.trial,
        workload: { ...plan.settings },
        status: 'done',
        figures: {},
      }
    );
  }

  #put(cell: Cell): void {
    const { cells } = this.#document;
    const at = cells.findIndex(({ id }) => id === cell.id);
    this.#document = { ...this.#document, cells: at < 0 ? [...cells, cell] : cells.with(at, cell) };
  }

  async #recordSystem(plan: CellPlan, version: string | null): Promise<void> {
    const name = String(plan.settings.system ?? 'longshore');
    const store = plan.settings.store as StoreKind | undefined;
    const server = store === undefined ? null : ((await this.#opened(store))?.server ?? null);
    const { systems, servers } = this.#document;
    const known = systems.some((system) => system.name === name);
    const listed = server === null || servers.some(({ kind }) => kind === server.kind);
    this.#document = {
      ...this.#document,
      systems: known ? systems : [...systems, recordOf(name, server, version)],
      servers: listed ? servers : [...servers, { ...server, settings: { ...server.settings } }],
    };
  }

  #site(store: StoreKind): Promise<Site> {
    const { urls, bench } = this.#options;
    const url = urls[store];
    const site = this.#sites.get(store) ?? openSite(url === undefined ? { store } : { store, url }, bench);
    this.#sites.set(store, site);
    return site;
  }

  /** Null where it was not asked for or could not be opened, which the cells say. */
  async #opened(store: StoreKind): Promise<Site | null> {
    return (await this.#sites.get(store)?.catch(() => null)) ?? null;
  }

  #save(changes: Partial<KitDocument>): void {
    const tookMs = Math.round((this.#options.before?.tookMs ?? 0) + performance.now() - this.#began);
    const targets = judge(this.#options.targets, this.#document.cells);
    this.#document = { ...this.#document, ...changes, tookMs, targets };
    this.#options.save(this.#document);
  }
}

function withResult(cell: Cell, { figures, histograms, series, details }: TrialResult): Cell {
  const merged: Record<string, Figure> = { ...cell.figures };
  for (const [name, value] of Object.entries(figures))
    merged[name] = { ...unitOf(name), values: [...(merged[name]?.values ?? []), value] };
  const kept: Record<string, string> = { ...cell.histograms };
  for (const [name, encoded] of Object.entries(histograms ?? {}))
    kept[name] = kept[name] === undefined ? encoded : new Durations().add(kept[name]).add(encoded).encoded();
  return {
    ...cell,
    status: 'done',
    figures: merged,
    ...(Object.keys(kept).length === 0 ? {} : { histograms: kept }),
    // Series over time and texts are the last round's: there is no median of them.
    ...(series === undefined
      ? {}
      : { series: Object.fromEntries(Object.entries(series).map(([name, values]) => [name, [...values]])) }),
    ...(details === undefined ? {} : { details: { ...details } }),
  };
}
