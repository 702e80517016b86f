import { UsageError } from './exit-codes.ts';
import { parseJson } from './json-text.ts';
import { readStdin, stdinIsPiped } from './stdin.ts';

/**
 * A payload as people give it: JSON as an argument, or through standard input (`-`, or a pipe). `what` as in `The input`.
 * A pipe that says nothing is no payload; an explicit `-` must bring one. Throws PAYLOAD_NOT_JSON, USAGE.
 */
export async function readPayload(given: string | undefined, what: string): Promise<unknown> {
  if (given !== undefined && given !== '-') return parseJson(given, what, { typed: true });
  if (given === undefined && !stdinIsPiped()) return undefined;
  const text = await readStdin();
  if (text.trim() !== '') return parseJson(text, `${what} from standard input`);
  if (given === '-') throw new UsageError(`Standard input is empty; expected ${what.toLowerCase()} as JSON.`);
  return undefined;
}
