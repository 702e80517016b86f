import { reasonOf } from '../core/legible.ts';
import { cgroupCpu, cgroupMemory } from './cgroup.ts';
import type { Sample } from './estimate.ts';
import { linuxHost, portableHost } from './host.ts';
import { MachineFiles } from './machine-files.ts';
import { type Sensor, sensorOf } from './sensor.ts';

/** The sensor for this machine: of processor and memory each, the control group where one sets a limit, else the whole machine. */
export function machineSensor({ files = new MachineFiles(), now = monotonicNow }: SensorMeans = {}): Sensor {
  const host = linuxHost(files) ?? portableHost();
  return sensorOf(
    cgroupCpu(files, now, host.cores) ?? host.cpu,
    cgroupMemory(files, host.bytes) ?? host.memory,
  );
}

export interface SensorMeans {
  readonly files?: MachineFiles;
  /** In ms; must not jump. */
  readonly now?: () => number;
}

function monotonicNow(): number {
  return performance.now();
}

/** How long the last good values stand in for a sensor that cannot be read. */
const KEPT_MS = 5_000;

export interface SteadyOptions {
  /** Makes the sensor; again when it came to harm. */
  readonly open: () => Sensor;
  /** What to read when that stays broken. */
  readonly spare: () => Sensor;
  /** Another sensor is in use from now on; `problem` is null for the first one. */
  readonly onChosen: (name: string, problem: string | null) => void;
  readonly now?: () => number;
}

/** Never throws and never says nonsense: keeps the last good values for 5 s, then reads the spare sensor, and says so once. */
export class SteadySensor {
  readonly #options: SteadyOptions;
  readonly #now: () => number;
  #sensor: Sensor;
  #spared = false;
  #last: Sample | null = null;
  #goodAtMs: number;

  constructor(options: SteadyOptions) {
    this.#options = options;
    this.#now = options.now ?? monotonicNow;
    this.#goodAtMs = this.#now();
    try {
      this.#sensor = options.open();
      options.onChosen(this.#sensor.name, null);
    } catch (error) {
      this.#sensor = options.spare();
      this.#spared = true;
      options.onChosen(this.#sensor.name, problemOf(error));
    }
  }

  /** Null where nothing could be read, lately or ever. */
  sample(): Sample | null {
    try {
      const sample = checked(this.#sensor.sample());
      this.#goodAtMs = this.#now();
      this.#last = sample;
    } catch (error) {
      if (this.#now() - this.#goodAtMs > KEPT_MS) this.#replace(error);
    }
    return this.#last;
  }

  #replace(error: unknown): void {
    this.#last = null;
    this.#goodAtMs = this.#now();
    if (this.#spared) return;
    this.#spared = true;
    this.#sensor = this.#options.spare();
    this.#options.onChosen(this.#sensor.name, problemOf(error));
  }
}

/** A counter that was reset shows as less than nothing, one of another unit as a hundredfold. Just over 1 is an error of the clock. */
function checked({ cpu, memory }: Sample): Sample {
  if (!(cpu >= -0.01 && cpu <= 2)) throw new Error(`the processor use was read as ${cpu}`);
  if (!(memory >= 0 && memory <= 2)) throw new Error(`the memory use was read as ${memory}`);
  return { cpu: Math.min(Math.max(cpu, 0), 1), memory };
}

function problemOf(error: unknown): string {
  return reasonOf(error);
}
