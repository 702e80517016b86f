import type { Clock } from '../core/clock.ts';
import { reasonOf } from '../core/legible.ts';
import { Latencies } from './latencies.ts';

/**
 * The load generator: starts units of work at a target, at most `concurrency` of them under way, and measures how many end in a
 * second and how long each takes. What a unit is, the target says: a job, a workflow, a process instance. Two ways to go:
 * without a rate the next unit starts when another has ended (closed loop); with a rate units start at their intended times, and the
 * time of each counts from there, so that a slow target cannot hide behind units that were started late (open loop).
 */
export interface LoadTarget {
  /** What is started, in the plural, as reports name it: `Jobs`, `Workflows`. */
  readonly noun: string;
  /** Runs one unit, from its start to its end. Rejects where that failed, and with the signal's reason when nobody waits any more. */
  run(number: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface LoadSettings {
  /** Most units under way. */
  readonly concurrency: number;
  /** Units to start; null: until it is stopped. */
  readonly total: number | null;
  /** Units to start in a second; null: as many as end. */
  readonly ratePerSecond: number | null;
  /** Time between two reports, in ms. */
  readonly reportMs: number;
  /** Starts nothing after this time, in ms; 0: no limit. */
  readonly maxRunMs: number;
}

export interface LoadReport {
  /** Units under way. */
  readonly concurrent: number;
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly seconds: number;
  /** Completed in a second: since the last report, in the final one on the average. */
  readonly rate: number;
  /** Of completed units, in ms; null before there is one. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  } | null;
}

export interface LoadMeans {
  /** Default: one that never goes back. */
  readonly clock?: Clock;
  /** Aborts to end it: nothing more is started, and what is under way gets `DRAIN_MS`. */
  readonly stop: AbortSignal;
  readonly onReport: (report: LoadReport) => void;
  /** A unit failed: told once for each message. */
  readonly onError: (message: string) => void;
}

/** How long units under way may take to end once nothing more is started. */
export const DRAIN_MS = 5_000;

/** Resolves to the final report. */
export function generateLoad(
  target: LoadTarget,
  settings: LoadSettings,
  means: LoadMeans,
): Promise<LoadReport> {
  return new Generator(target, settings, means).run();
}

class Generator {
  readonly #target: LoadTarget;
  readonly #settings: LoadSettings;
  readonly #means: LoadMeans & { readonly clock: Clock };
  readonly #latencies = new Latencies();
  readonly #abandon = new AbortController();
  readonly #told = new Set<string>();
  readonly #beganAt: number;
  #started = 0;
  #concurrent = 0;
  #completed = 0;
  #failed = 0;
  #failuresInRow = 0;
  #reported = { at: 0, completed: 0 };
  /** Called when a unit has ended, a time has come, or it is to stop. */
  #wake: () => void = () => undefined;
  #ended = false;
  /** Each ends the pause of a unit that failed. */
  readonly #paused = new Set<() => void>();

  constructor(target: LoadTarget, settings: LoadSettings, means: LoadMeans) {
    this.#target = target;
    this.#settings = settings;
    this.#means = { clock: STEADY, ...means };
    this.#beganAt = this.#means.clock.now();
    this.#reported.at = this.#beganAt;
  }

  async run(): Promise<LoadReport> {
    const { clock, stop } = this.#means;
    const { maxRunMs } = this.#settings;
    const end = (): void => {
      this.#ended = true;
      for (const endPause of this.#paused) endPause();
      this.#wake();
    };
    stop.addEventListener('abort', end);
    if (stop.aborted) end();
    const cancelEnd = maxRunMs > 0 ? clock.after(maxRunMs, end) : () => undefined;
    const cancelReports = this.#reportEvery();
    await this.#start();
    await this.#drain();
    cancelReports();
    cancelEnd();
    stop.removeEventListener('abort', end);
    return this.#report(this.#beganAt, 0);
  }

  async #start(): Promise<void> {
    const { concurrency, total, ratePerSecond } = this.#settings;
    const { clock } = this.#means;
    while (!this.#ended && (total === null || this.#started < total)) {
      const now = clock.now();
      const intended = ratePerSecond === null ? now : this.#beganAt + (this.#started * 1_000) / ratePerSecond;
      if (this.#concurrent >= concurrency) await this.#event();
      else if (intended > now) await this.#event(intended - now);
      else void this.#run(intended);
    }
  }

  async #run(intended: number): Promise<void> {
    const { clock, onError } = this.#means;
    this.#concurrent += 1;
    this.#started += 1;
    try {
      await this.#target.run(this.#started, this.#abandon.signal);
      this.#latencies.add(clock.now() - intended);
      this.#completed += 1;
      this.#failuresInRow = 0;
    } catch (error) {
      if (!this.#abandon.signal.aborted) {
        this.#failed += 1;
        const message = reasonOf(error);
        if (this.#told.size < TOLD_MAX && !this.#told.has(message)) onError(message);
        this.#told.add(message);
        await this.#pause();
      }
    }
    this.#concurrent -= 1;
    this.#wake();
  }

  /** The place of a unit that failed stays taken for a while: a target that refuses all must not be asked in a tight loop. */
  async #pause(): Promise<void> {
    const ms = Math.min(PAUSE_MIN_MS * 2 ** this.#failuresInRow, PAUSE_MAX_MS);
    this.#failuresInRow += 1;
    if (this.#ended) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        this.#paused.delete(end);
        resolve();
      };
      const cancel = this.#means.clock.after(ms, end);
      this.#paused.add(end);
    });
  }

  /** All that was started ends, however long it takes; but what is under way when it is to stop gets DRAIN_MS. */
  async #drain(): Promise<void> {
    let cancel: (() => void) | null = null;
    while (this.#concurrent > 0 && !this.#abandon.signal.aborted) {
      if (this.#ended)
        cancel ??= this.#means.clock.after(DRAIN_MS, () => {
          this.#abandon.abort(new Error('nobody waits for it any more'));
          this.#wake();
        });
      await this.#event();
    }
    cancel?.();
  }

  #event(afterMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel =
        afterMs === undefined ? () => undefined : this.#means.clock.after(afterMs, () => this.#wake());
      this.#wake = () => {
        cancel();
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  #reportEvery(): () => void {
    const { clock, onReport } = this.#means;
    let cancel = (): void => undefined;
    const again = (): void => {
      cancel = clock.after(this.#settings.reportMs, () => {
        const { at, completed } = this.#reported;
        onReport(this.#report(at, completed));
        this.#reported = { at: clock.now(), completed: this.#completed };
        again();
      });
    };
    again();
    return () => cancel();
  }

  #report(since: number, completedBefore: number): LoadReport {
    const now = this.#means.clock.now();
    const passed = (now - since) / 1_000;
    return {
      concurrent: this.#concurrent,
      started: this.#started,
      completed: this.#completed,
      failed: this.#failed,
      seconds: (now - this.#beganAt) / 1_000,
      rate: passed === 0 ? 0 : (this.#completed - completedBefore) / passed,
      latencyMs: this.#latencies.summary(),
    };
  }
}

/** Parts of a millisecond count, and somebody may set the machine's clock. */
const STEADY: Clock = {
  now: () => performance.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

const TOLD_MAX = 20;
const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 5_000;
