import type { Sample } from './estimate.ts';

/**
 * How much is used of what this process may use. machine-sensor.ts picks from where: control groups (cgroup.ts), or the
 * whole machine (host.ts).
 */
export interface Sensor {
  /** What is read, for the log: `cgroup v2 (2 cores), cgroup v2 (512 MiB)`. */
  readonly name: string;
  /** Since the call before; the first one covers the time since the sensor was made. Throws when it cannot be read. */
  sample(): Sample;
}

/** One of the two figures, 0 to 1. */
export interface Gauge {
  readonly name: string;
  read(): number;
}

export function sensorOf(cpu: Gauge, memory: Gauge): Sensor {
  return {
    name: `${cpu.name}, ${memory.name}`,
    sample: () => ({ cpu: cpu.read(), memory: memory.read() }),
  };
}

/** Makes a share of a counter of processor time. */
export class UseMeter {
  #usedMs: number;
  #atMs: number;
  #use = 0;

  constructor(usedMs: number, atMs: number) {
    this.#usedMs = usedMs;
    this.#atMs = atMs;
  }

  /** The used share of `cores` since the reading before; readings within 10 ms are one, for counters may be that coarse. */
  use(usedMs: number, atMs: number, cores: number): number {
    const elapsedMs = atMs - this.#atMs;
    if (elapsedMs < COARSE_MS) return this.#use;
    this.#use = (usedMs - this.#usedMs) / (elapsedMs * cores);
    this.#usedMs = usedMs;
    this.#atMs = atMs;
    return this.#use;
  }
}

const COARSE_MS = 10;
