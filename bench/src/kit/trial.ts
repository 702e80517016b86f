import type { Bench } from '../bench.ts';
import type { Sabotage } from '../ledger.ts';
import type { Site, StoreKind } from '../site.ts';
import type { Settings } from './workload.ts';

/** One measurement of one cell: what it is given, and what it gives. trials.ts has all of them. */
export type Trial = (settings: TrialSettings, context: TrialContext) => Promise<TrialResult>;

export interface TrialContext extends Bench {
  /** Opened at first use, and shared by all trials of a command. */
  site(store: StoreKind): Promise<Site>;
  /** What a handler that computes for 1 ms digests on this machine. */
  readonly digests: number;
  readonly sabotage: Sabotage | null;
}

export interface TrialResult {
  /** By name; its ending says the unit: PerSecond, Ms, Micros, Mb, Bytes, Percent, or a count. */
  readonly figures: Readonly<Record<string, number>>;
  /** HdrHistograms, encoded. */
  readonly histograms?: Readonly<Record<string, string>>;
  readonly series?: Readonly<Record<string, readonly number[]>>;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Of the system, where only the trial knows it. */
  readonly version?: string;
}

/** The cell cannot be measured here; no fault. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

/** The settings of a cell, each asked for by its type. What is missing or of another type is a fault of the workload file. */
export class TrialSettings {
  readonly all: Settings;

  constructor(all: Settings) {
    this.all = all;
  }

  number(name: string, fallback?: number): number {
    return this.#get(name, 'number', fallback) as number;
  }

  text(name: string, fallback?: string): string {
    return this.#get(name, 'string', fallback) as string;
  }

  get store(): StoreKind {
    return this.text('store', 'sqlite') as StoreKind;
  }

  #get(name: string, type: 'number' | 'string', fallback: unknown): unknown {
    const value = this.all[name] ?? fallback;
    if (typeof value === type) return value;
    throw new Error(
      `The workload's setting ${JSON.stringify(name)} is ${JSON.stringify(value)}; a ${type} was expected.`,
    );
  }
}

const UNITS: readonly (readonly [ending: RegExp, unit: string, better: 'higher' | 'lower' | 'neither'])[] = [
  [/PerSecond$/, '1/s', 'higher'],
  [/Ms$/, 'ms', 'lower'],
  [/Micros(PerJob)?$/, 'µs', 'lower'],
  [/Mb$/, 'MB', 'lower'],
  [/Bytes(PerJob)?$/, 'B', 'lower'],
  [/Percent$/, '%', 'lower'],
];

/** Unit and direction of a figure, by the ending of its name before a point. Counts have neither. */
export function unitOf(name: string): {
  readonly unit: string;
  readonly better: 'higher' | 'lower' | 'neither';
} {
  const [base = name] = name.split('.');
  const [, unit = '', better = 'neither'] = UNITS.find(([ending]) => ending.test(base)) ?? [];
  return { unit, better };
}
