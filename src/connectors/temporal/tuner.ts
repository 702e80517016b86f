import { optionInvalid, requireInteger } from '../../core/errors.ts';
import { knownNames, requireOptions } from '../../core/options.ts';
import { type TunerSettings, tunerSettings } from '../../tuner/settings.ts';

/** Slots of a worker for Temporal: by Longshore's tuner, by fixed numbers, or by the resource tuner of Temporal's SDK. */
export type TemporalTuner = LongshoreTuner | FixedTuner | ResourceTuner;

/** One controller for everything in this process, workers of queues included: their targets must agree. */
export interface LongshoreTuner extends SlotBounds {
  readonly kind: 'longshore';
  /** Share of the processor, 0 to 1; default 0.9. */
  readonly targetCpu?: number;
  /** Share of the memory, 0 to 1; default 0.8. */
  readonly targetMemory?: number;
  /** From one new slot to the next; default 50 ms. */
  readonly rampMs?: number;
}

/** Always as many. */
export interface FixedTuner {
  readonly kind: 'fixed';
  /** Default 40. */
  readonly workflows?: number;
  /** Default 100. */
  readonly activities?: number;
  /** Default 100. */
  readonly localActivities?: number;
}

/** What the SDK has itself. One controller for each worker. */
export interface ResourceTuner extends SlotBounds {
  readonly kind: 'temporal';
  readonly targetCpu?: number;
  readonly targetMemory?: number;
}

export interface SlotBounds {
  /** Default 10 to 500. */
  readonly workflows?: SlotRange;
  /** Default 50 to 500. */
  readonly activities?: SlotRange;
  /** Default 50 to 500. */
  readonly localActivities?: SlotRange;
}

/** `min` slots there are whatever the load. */
export interface SlotRange {
  readonly min?: number;
  readonly max?: number;
}

export type SlotKind = keyof SlotBounds;

export const SLOT_KINDS: readonly SlotKind[] = ['workflows', 'activities', 'localActivities'];

export const RANGES_DEFAULT: Readonly<Record<SlotKind, Required<SlotRange>>> = {
  workflows: { min: 10, max: 500 },
  activities: { min: 50, max: 500 },
  localActivities: { min: 50, max: 500 },
};

const FIXED_DEFAULT: Readonly<Record<SlotKind, number>> = {
  workflows: 40,
  activities: 100,
  localActivities: 100,
};

const KINDS = { kind: true, workflows: true, activities: true, localActivities: true } as const;

const OPTIONS = {
  longshore: knownNames<LongshoreTuner>({ ...KINDS, targetCpu: true, targetMemory: true, rampMs: true }),
  fixed: knownNames<FixedTuner>(KINDS),
  temporal: knownNames<ResourceTuner>({ ...KINDS, targetCpu: true, targetMemory: true }),
};

const RANGE = knownNames<SlotRange>({ min: true, max: true });

/** Throws OPTION_INVALID, with a hint where a target looks like per cent. */
export function requireTuner(tuner: TemporalTuner): TemporalTuner {
  const kind: unknown = (tuner as Partial<TemporalTuner> | null)?.kind;
  if (kind !== 'longshore' && kind !== 'fixed' && kind !== 'temporal')
    throw optionInvalid('tuner.kind', kind, "'longshore', 'fixed' or 'temporal'");
  requireOptions('tuner', tuner, OPTIONS[kind]);
  if (tuner.kind === 'fixed') fixedSlots(tuner);
  else {
    rangesOf(tuner);
    const { targetCpu, targetMemory } = tuner;
    tunerSettings({
      ...(targetCpu === undefined ? {} : { targetCpu }),
      ...(targetMemory === undefined ? {} : { targetMemory }),
    });
  }
  return tuner;
}

/** With defaults: one bound alone moves the other where it has to. Throws OPTION_INVALID. */
export function rangesOf(bounds: SlotBounds): Record<SlotKind, Required<SlotRange>> {
  const range = (kind: SlotKind): Required<SlotRange> => {
    const given = bounds[kind] ?? {};
    requireOptions(`tuner.${kind}`, given, RANGE);
    const defaults = RANGES_DEFAULT[kind];
    const min = requireInteger(
      `tuner.${kind}.min`,
      given.min ?? Math.min(defaults.min, given.max ?? defaults.min),
      1,
      SLOTS_MAX,
    );
    const max = requireInteger(`tuner.${kind}.max`, given.max ?? Math.max(defaults.max, min), 1, SLOTS_MAX);
    if (min > max) throw optionInvalid(`tuner.${kind}.min`, min, `at most max, which is ${max}`);
    return { min, max };
  };
  return {
    workflows: range('workflows'),
    activities: range('activities'),
    localActivities: range('localActivities'),
  };
}

/** What every store takes, too. */
const SLOTS_MAX = 100_000;

/** Throws OPTION_INVALID. */
export function fixedSlots(tuner: FixedTuner): Record<SlotKind, number> {
  const slots = (kind: SlotKind, min = 1): number =>
    requireInteger(`tuner.${kind}`, tuner[kind] ?? FIXED_DEFAULT[kind], min, SLOTS_MAX);
  // The SDK keeps workflows in its cache only with two slots or more.
  return {
    workflows: slots('workflows', 2),
    activities: slots('activities'),
    localActivities: slots('localActivities'),
  };
}

/** The slots of the runner, in which activities of both kinds run. */
export function runnerSlots(
  tuner: TemporalTuner,
): { concurrency: number } | { tuner: Partial<TunerSettings> } {
  if (tuner.kind === 'fixed') {
    const { activities, localActivities } = fixedSlots(tuner);
    return { concurrency: activities + localActivities };
  }
  const { activities, localActivities } = rangesOf(tuner);
  // The SDK's tuner has let them in already.
  if (tuner.kind === 'temporal') return { concurrency: activities.max + localActivities.max };
  const { targetCpu, targetMemory, rampMs } = tuner;
  const given = Object.entries({ targetCpu, targetMemory, rampMs }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    tuner: {
      ...Object.fromEntries(given),
      slotsMin: Math.max(activities.min, localActivities.min),
      slotsMax: Math.max(activities.max, localActivities.max),
    },
  };
}
