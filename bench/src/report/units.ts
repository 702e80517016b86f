/**
 * The unit of a figure and which way is better, by its name: names of figures end with their unit throughout the kit
 * (`processPerSecond`, `pickupMs`, `addedMb`).
 */
const UNITS: readonly (readonly [RegExp, string, 'higher' | 'lower' | null])[] = [
  [/wakeUpsPerSecond$/i, '1/s', 'lower'],
  [/runsPerSecond$/i, 'runs/s', 'higher'],
  [/perSecond$/i, 'jobs/s', 'higher'],
  [/microsPerJob$|micros$/i, 'µs', 'lower'],
  [/(^|[a-z])ms$/i, 'ms', 'lower'],
  [/seconds$/i, 's', 'lower'],
  [/bytes(PerJob)?$/i, 'bytes', 'lower'],
  [/mb$/i, 'MB', 'lower'],
  [/percent/i, '%', 'lower'],
  [/^p\d+$|^max$|^mean$/, 'ms', 'lower'],
  [/ratio|share/i, '', 'higher'],
];

/** Null for what is no figure with a unit: a count, a version. */
export function unitOf(name: string): string | null {
  return UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Null where neither is better, or it is not known. */
export function betterOf(name: string): 'higher' | 'lower' | null {
  return UNITS.find(([pattern]) => pattern.test(name))?.[2] ?? null;
}
