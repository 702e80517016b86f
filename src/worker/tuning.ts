import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { optionInvalid } from '../core/errors.ts';
import type { EventBus } from '../telemetry/events.ts';
import { fixedSlots } from '../tuner/fixed.ts';
import type { Sensor } from '../tuner/sensor.ts';
import { type TunerSettings, tunerSettings } from '../tuner/settings.ts';
import type { Slots } from '../tuner/slots.ts';
import { TunedSlots } from '../tuner/tuned.ts';

/** The slots of a worker: a fixed number, or its part of what the tuner allows this process. */
export function slotsOf({ events, clock, sensor }: SlotMeans, { concurrency, tuner }: SlotSettings): Slots {
  if (tuner === null) return fixedSlots(concurrency);
  return new TunedSlots({
    settings: tuner,
    clock,
    sensor,
    reports: {
      source: events,
      onAdjusted: (adjustment) => events.emit('tuner.adjusted', adjustment),
      onSampled: (reading) => events.emit('tuner.sampled', reading),
      onSensor: (name, problem) => events.emit('tuner.sensorChosen', { sensor: name, problem }),
    },
  });
}

interface SlotMeans {
  readonly events: EventBus;
  readonly clock: Clock;
  readonly sensor?: Sensor | undefined;
}

interface SlotSettings {
  readonly concurrency: number;
  readonly tuner: Partial<TunerSettings> | null;
}

/** One of the places that settings come from. */
type Source = Partial<SlotSettings>;

/**
 * Field by field, code over file over environment. A source that gives a fixed concurrency, or null, turns off what weaker
 * ones say. In the environment only a target turns the tuner on: its bounds may be set for all programs of a machine.
 */
export function tunerOf(
  code: Source,
  file: Source,
  env: Readonly<Record<string, string | undefined>>,
): TunerSettings | null {
  const given: Partial<TunerSettings>[] = [];
  for (const { tuner, concurrency } of [code, file]) {
    if (tuner === null || (tuner === undefined && concurrency !== undefined)) return merged(given);
    if (tuner !== undefined) given.push(tuner);
  }
  const found = fromEnvironment(env);
  const on = 'targetCpu' in found || 'targetMemory' in found;
  return merged(on || given.length > 0 ? [...given, found] : []);
}

/** The stronger ones come first. */
function merged(given: readonly Partial<TunerSettings>[]): TunerSettings | null {
  if (given.length === 0) return null;
  for (const one of given) tunerSettings(one);
  const fields = given
    .toReversed()
    .flatMap((one) => Object.entries(one).filter(([, value]) => value !== undefined));
  return tunerSettings(Object.fromEntries(fields));
}

const SHARES = { LONGSHORE_TARGET_CPU: 'targetCpu', LONGSHORE_TARGET_MEMORY: 'targetMemory' } as const;
const COUNTS = { LONGSHORE_SLOTS_MIN: 'slotsMin', LONGSHORE_SLOTS_MAX: 'slotsMax' } as const;

/** Fields of the settings and the variables that give them. */
export const TUNER_VARIABLES: Readonly<Record<string, string>> = {
  'tuner.targetCpu': 'LONGSHORE_TARGET_CPU',
  'tuner.targetMemory': 'LONGSHORE_TARGET_MEMORY',
  'tuner.slotsMin': 'LONGSHORE_SLOTS_MIN',
  'tuner.slotsMax': 'LONGSHORE_SLOTS_MAX',
  'tuner.rampMs': 'LONGSHORE_RAMP_MS',
};

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Partial<TunerSettings> {
  const found: Record<string, number> = {};
  for (const [variable, field] of Object.entries({ ...SHARES, ...COUNTS })) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const pattern = variable in SHARES ? /^\d*\.?\d+$/ : /^\d+$/;
    if (!pattern.test(text))
      throw optionInvalid(variable, text, variable in SHARES ? 'a share such as 0.9' : 'a whole number');
    found[field] = Number(text);
  }
  const ramp = env.LONGSHORE_RAMP_MS;
  if (ramp !== undefined && ramp !== '') found.rampMs = parseDuration(ramp, 'LONGSHORE_RAMP_MS');
  return found;
}
