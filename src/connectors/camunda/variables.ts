import { isPlainObject } from '../../core/options.ts';
import type { Json } from '../../core/payload.ts';

/** The variables that a result sets: those of an object by their names, any other value as `into`, or as `result`. */
export function variablesOf(result: Json | undefined, into: string | undefined): Record<string, Json> {
  if (result === undefined) return {};
  if (into !== undefined) return { [into]: result };
  if (isPlainObject(result)) return result as Record<string, Json>;
  return result === null ? {} : { result };
}
