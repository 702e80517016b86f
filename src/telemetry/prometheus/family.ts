import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Labels } from './labels.ts';

/** The package as it was loaded: an optional one. */
export type Prom = typeof import('prom-client');

/** From a millisecond to half an hour. */
const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800];

/** Makes metrics in one registry, and bounded sets of labels for them. */
export class Family {
  readonly #prom: Prom;
  readonly #registry: Registry;
  readonly #labelsMax: number;
  readonly warn: (text: string) => void;

  constructor(
    prom: Prom,
    registry: Registry,
    options: { readonly labelsMax: number; readonly warn: (text: string) => void },
  ) {
    this.#prom = prom;
    this.#registry = registry;
    this.#labelsMax = options.labelsMax;
    this.warn = options.warn;
  }

  counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new this.#prom.Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  histogram(name: string, help: string, labelNames: readonly string[], buckets = BUCKETS_SECONDS): Histogram {
    return new this.#prom.Histogram({
      name,
      help,
      labelNames,
      buckets,
      registers: [this.#registry],
    });
  }

  /** `collect` is called, and waited for, before the gauge is read. */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: () => void | Promise<void>,
  ): Gauge {
    return new this.#prom.Gauge({ name, help, labelNames, registers: [this.#registry], collect });
  }

  labels<Value>(what: string, make: (...labels: string[]) => Value): Labels<Value> {
    return new Labels({ what, max: this.#labelsMax, make, warn: this.warn });
  }
}
