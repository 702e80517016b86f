import { type Environment, fromEnvironment } from '../../connectors/environment.ts';
import { WORKER_VARIABLES } from '../../connectors/temporal/environment.ts';
import type { SlotRange, TemporalTuner } from '../../connectors/temporal/index.ts';
import { optionInvalid } from '../../core/errors.ts';
import { UsageError } from '../exit-codes.ts';

/** Slots and who decides them, from flags and the environment. */
export interface SlotOptions {
  readonly tuner?: TemporalTuner['kind'];
  readonly targetCpu?: number;
  readonly targetMemory?: number;
  readonly workflowSlots?: SlotRange;
  readonly activitySlots?: SlotRange;
  readonly localActivitySlots?: SlotRange;
}

/** `100`, or `50..500`. */
export function slotRange(option: string): (text: string) => SlotRange {
  return (text) => {
    const [, min, max = min] = /^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
    if (min === undefined) throw optionInvalid(option, text, 'a number of slots, or a range such as 50..500');
    return { min: Number(min), max: Number(max) };
  };
}

/** Throws OPTION_INVALID, USAGE. */
export function tunerOf(options: SlotOptions, env: Environment): TemporalTuner {
  const found = fromEnvironment(WORKER_VARIABLES, env);
  const { tuner: kind = 'longshore' } = options;
  const ranges = {
    workflows: merged(
      options.workflowSlots,
      found.TEMPORAL_WORKER_WORKFLOWS_MIN_SLOTS,
      found.TEMPORAL_WORKER_WORKFLOWS_MAX_SLOTS,
    ),
    activities: merged(
      options.activitySlots,
      found.TEMPORAL_WORKER_ACTIVITIES_MIN_SLOTS,
      found.TEMPORAL_WORKER_ACTIVITIES_MAX_SLOTS,
    ),
    localActivities: merged(
      options.localActivitySlots,
      found.TEMPORAL_WORKER_LOCAL_ACTIVITIES_MIN_SLOTS,
      found.TEMPORAL_WORKER_LOCAL_ACTIVITIES_MAX_SLOTS,
    ),
  };
  if (kind === 'fixed') return { kind, ...fixed(options, ranges) };
  const targetCpu = options.targetCpu ?? found.TEMPORAL_WORKER_TARGET_CPU;
  const targetMemory = options.targetMemory ?? found.TEMPORAL_WORKER_TARGET_RAM;
  return {
    kind,
    ...(targetCpu === undefined ? {} : { targetCpu }),
    ...(targetMemory === undefined ? {} : { targetMemory }),
    ...ranges,
  };
}

function merged(flag: SlotRange | undefined, min: number | undefined, max: number | undefined): SlotRange {
  if (flag !== undefined) return flag;
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

/** As many as the most. */
function fixed(
  { targetCpu, targetMemory }: SlotOptions,
  ranges: Readonly<Record<'workflows' | 'activities' | 'localActivities', SlotRange>>,
): Partial<Record<'workflows' | 'activities' | 'localActivities', number>> {
  if (targetCpu !== undefined || targetMemory !== undefined)
    throw new UsageError('--tuner fixed has no targets: leave out --target-cpu and --target-memory.');
  const slots = Object.entries(ranges).flatMap(([kind, { max }]) => (max === undefined ? [] : [[kind, max]]));
  return Object.fromEntries(slots);
}
