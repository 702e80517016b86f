import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import { type Adjustment, Controller, type Member, type Reading } from './controller.ts';
import { portableHost } from './host.ts';
import { machineSensor, SteadySensor } from './machine-sensor.ts';
import { type Sensor, sensorOf } from './sensor.ts';
import { type TunerSettings, tunerSettings } from './settings.ts';
import type { Slots } from './slots.ts';

/** What happens, told to each worker; the reports of one `source` are told once. */
export interface TunerReports {
  /** Workers with the same source would report to the same listeners. */
  readonly source: object;
  readonly onAdjusted: (adjustment: Adjustment) => void;
  readonly onSampled: (reading: Reading) => void;
  /** What the tuner reads; `problem` says why it is not what was read before. */
  readonly onSensor: (sensor: string, problem: string | null) => void;
}

export interface TunedOptions {
  readonly settings: Partial<TunerSettings>;
  readonly clock: Clock;
  readonly reports: TunerReports;
  /** Default: the machine's. Workers share slots if they have the same one. */
  readonly sensor?: Sensor | undefined;
}

/**
 * One worker's part in the slots of its process: as many as it uses, and all that are free. Workers of one process
 * share one controller, since the processor and the memory are shared too; their settings must agree, for each of two
 * targets would undo what the other does. `start` throws OPTION_INVALID if they do not.
 */
export class TunedSlots implements Slots, Member {
  readonly #options: TunedOptions;
  readonly #settings: TunerSettings;
  #entry: Entry | null = null;
  #onChange: () => void = () => undefined;
  #used = 0;

  constructor(options: TunedOptions) {
    this.#options = options;
    this.#settings = tunerSettings(options.settings);
  }

  get total(): number {
    if (this.#entry === null) return this.#settings.slotsMin;
    return Math.max(0, this.#used + this.#entry.controller.free);
  }

  get used(): number {
    return this.#used;
  }

  get reports(): TunerReports {
    return this.#options.reports;
  }

  tryReserve(): boolean {
    if (this.#entry?.controller.tryReserve(this) === false) return false;
    this.#used += 1;
    return true;
  }

  release(): void {
    if (this.#used === 0) return;
    this.#used -= 1;
    this.#entry?.controller.release();
  }

  start(onChange: () => void): void {
    if (this.#entry !== null) return;
    this.#onChange = onChange;
    this.#entry = enter(this, this.#settings, this.#options);
  }

  stop(): void {
    if (this.#entry !== null) leave(this, this.#entry);
    this.#entry = null;
  }

  onChange(): void {
    this.#onChange();
  }

  onAdjusted(adjustment: Adjustment): void {
    if (this.#reports()) this.reports.onAdjusted(adjustment);
  }

  onSampled(reading: Reading): void {
    if (this.#reports()) this.reports.onSampled(reading);
  }

  onSensor(sensor: string, problem: string | null): void {
    if (this.#reports()) this.reports.onSensor(sensor, problem);
  }

  /** Of those with the same source, the first one does. */
  #reports(): boolean {
    const same = (member: TunedSlots): boolean => member.reports.source === this.reports.source;
    return [...(this.#entry?.members ?? [])].find(same) === this;
  }
}

/** The controller of those who read the same sensor. */
interface Entry {
  readonly key: object;
  readonly settings: TunerSettings;
  readonly controller: Controller;
  readonly members: Set<TunedSlots>;
  sensor: string;
  problem: string | null;
}

/** Of this process. */
const ENTRIES = new Map<object, Entry>();

const MACHINE = {};

function enter(member: TunedSlots, settings: TunerSettings, options: TunedOptions): Entry {
  const entry = ENTRIES.get(options.sensor ?? MACHINE) ?? makeEntry(settings, options);
  if (JSON.stringify(entry.settings) !== JSON.stringify(settings))
    throw disagreement(settings, entry.settings);
  const { source, onSensor } = member.reports;
  const known = [...entry.members].some(({ reports }) => reports.source === source);
  entry.members.add(member);
  entry.controller.join(member);
  if (!known) onSensor(entry.sensor, entry.problem);
  return entry;
}

function leave(member: TunedSlots, entry: Entry): void {
  entry.controller.leave(member);
  entry.members.delete(member);
  if (entry.members.size === 0) ENTRIES.delete(entry.key);
}

function makeEntry(settings: TunerSettings, { clock, sensor }: TunedOptions): Entry {
  const members = new Set<TunedSlots>();
  const chosen = { sensor: '', problem: null as string | null };
  const spare = portableHost();
  const steady = new SteadySensor({
    open: () => sensor ?? machineSensor(),
    spare: () => sensorOf(spare.cpu, spare.memory),
    now: sensor === undefined ? () => performance.now() : () => clock.now(),
    onChosen: (name, problem) => {
      Object.assign(chosen, { sensor: name, problem });
      for (const member of members) member.onSensor(name, problem);
    },
  });
  const controller = new Controller({ settings, clock, sample: () => steady.sample() });
  const entry = Object.assign(chosen, { key: sensor ?? MACHINE, settings, controller, members });
  ENTRIES.set(entry.key, entry);
  return entry;
}

function disagreement(settings: TunerSettings, others: TunerSettings): LongshoreError {
  return new LongshoreError(
    'OPTION_INVALID',
    `tuner is ${JSON.stringify(settings)}, but another worker of this process runs with ${JSON.stringify(others)}; all workers of a process share its slots: give them the same settings.`,
    { details: { field: 'tuner', value: settings, expected: others } },
  );
}
