import { optionInvalid, requireInteger, requireMs, show } from '../core/errors.ts';
import { requireOptions } from '../core/options.ts';

/** What the resource-based tuner is to keep to. All fields have defaults; giving a target turns the tuner on. */
export interface TunerSettings {
  /** Share of the processor time of this container or machine that may be used, 0 to 1; default 0.9. LONGSHORE_TARGET_CPU */
  readonly targetCpu: number;
  /** Share of the memory limit, page cache left out, 0 to 1; default 0.8. LONGSHORE_TARGET_MEMORY */
  readonly targetMemory: number;
  /** Never fewer slots, whatever the load; default 50 for jobs. LONGSHORE_SLOTS_MIN */
  readonly slotsMin: number;
  /** Never more; default 500 for jobs. LONGSHORE_SLOTS_MAX */
  readonly slotsMax: number;
  /** From one new slot to the next, so that its load is seen before many more follow; default 50 ms, 0 = at once. LONGSHORE_RAMP_MS */
  readonly rampMs: number;
}

/** What slots are for: jobs, jobs that never leave their process (`inline`), and decisions of flows. */
export type SlotKind = 'job' | 'inline' | 'flow';

const COMMON = { targetCpu: 0.9, targetMemory: 0.8, slotsMin: 50, slotsMax: 500, rampMs: 50 };

export const TUNER_SETTINGS_DEFAULT: Readonly<Record<SlotKind, TunerSettings>> = {
  job: COMMON,
  inline: COMMON,
  flow: { ...COMMON, slotsMin: 10 },
};

const TUNER_SETTINGS: ReadonlySet<string> = new Set(Object.keys(COMMON));

/** Fills in the defaults. Throws OPTION_INVALID, with a hint where a target looks like per cent. */
export function tunerSettings(given: Partial<TunerSettings>, kind: SlotKind = 'job'): TunerSettings {
  if (typeof given !== 'object' || given === null)
    throw optionInvalid('tuner', given, 'an object such as { targetCpu: 0.9 }, or null for fixed slots');
  const defaults = TUNER_SETTINGS_DEFAULT[kind];
  requireOptions('tuner', given, TUNER_SETTINGS);
  const settings = { ...defaults, ...defined(given) };
  requireTarget('tuner.targetCpu', settings.targetCpu);
  requireTarget('tuner.targetMemory', settings.targetMemory);
  requireInteger('tuner.slotsMin', settings.slotsMin, 1, SLOTS_MAX);
  requireInteger('tuner.slotsMax', settings.slotsMax, 1, SLOTS_MAX);
  requireMs('tuner.rampMs', settings.rampMs);
  if (settings.slotsMin <= settings.slotsMax) return settings;
  // Who gives one bound alone has not thought of the default of the other.
  if (given.slotsMin === undefined) return { ...settings, slotsMin: settings.slotsMax };
  if (given.slotsMax === undefined) return { ...settings, slotsMax: settings.slotsMin };
  throw optionInvalid('tuner.slotsMin', settings.slotsMin, `at most slotsMax, which is ${settings.slotsMax}`);
}

const SLOTS_MAX = 100_000;

function requireTarget(field: string, value: unknown): void {
  if (typeof value === 'number' && value > 0 && value <= 1) return;
  const perCent = typeof value === 'number' && value > 1 && value <= 100;
  const hint = perCent ? ` (${show(value / 100)}, not ${show(value)})` : '';
  throw optionInvalid(field, value, `a share above 0 and up to 1${hint}`);
}

function defined(settings: Partial<TunerSettings>): Partial<TunerSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
