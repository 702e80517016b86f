import { parseDuration } from '../core/duration.ts';
import { optionInvalid, requireInteger } from '../core/errors.ts';

/**
 * Settings of connectors from the environment: a table says which variables there are, and what reads each. What they mean, and which
 * names are somebody else's, each connector says itself.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a text; throws OPTION_INVALID, naming the variable. */
export type Read<Value> = (text: string, name: string) => Value;

export type Given<Variables extends Readonly<Record<string, Read<unknown>>>> = {
  readonly [Name in keyof Variables]?: ReturnType<Variables[Name]>;
};

/** What is set and not empty. Throws OPTION_INVALID. */
export function fromEnvironment<Variables extends Readonly<Record<string, Read<unknown>>>>(
  variables: Variables,
  env: Environment,
): Given<Variables> {
  const found = Object.entries(variables).flatMap(([name, read]) => {
    const given = env[name]?.trim() ?? '';
    return given === '' ? [] : [[name, read(given, name)]];
  });
  return Object.fromEntries(found) as Given<Variables>;
}

export const text: Read<string> = (given) => given;

/** Whole. */
export const count =
  (min: number, max?: number): Read<number> =>
  (given, name) => {
    if (!/^-?\d+$/.test(given)) throw optionInvalid(name, given, 'a whole number');
    return requireInteger(name, Number(given), min, max);
  };

/** In ms; `30s` as well. */
export const duration: Read<number> = (given, name) => parseDuration(given, name);

/** Comma-separated. */
export const list: Read<readonly string[]> = (given) => given.split(',').map((each) => each.trim());

export type Defined<Values> = { [Name in keyof Values]?: Exclude<Values[Name], undefined> };

/** Without what is undefined. */
export function defined<Values extends object>(values: Values): Defined<Values> {
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Defined<Values>;
}
