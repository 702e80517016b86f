import type { TObject, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { LongshoreError } from '../core/errors.ts';

/** Holds requests to the schemas of their operation. */
export interface Fault {
  /** JSON pointer into the body, or the name of a parameter. */
  readonly at: string;
  readonly is: string;
}

const FAULTS_MAX = 10;
const compiled = new WeakMap<TSchema, Validator>();

/** Throws HTTP_REQUEST_INVALID. `what`: `body`, `query` and the like. */
export function check(schema: TSchema, value: unknown, what: string): unknown {
  const validator = validatorOf(schema);
  if (validator.Check(value)) return value;
  const faults = faultsOf(validator, value);
  const [first] = faults;
  const place = first === undefined || first.at === '' ? '' : ` at ${first.at}`;
  throw new LongshoreError(
    'HTTP_REQUEST_INVALID',
    `The ${what} does not match the API${place}: ${first?.is ?? 'it is something else'}.`,
    { details: { in: what, faults } },
  );
}

/** Of texts, what the schema's properties are: whole numbers, yes or no, lists with commas. What cannot be one stays a text. */
export function fromTexts(schema: TObject, texts: Readonly<Record<string, string>>): Record<string, unknown> {
  const properties = schema.properties as Readonly<Record<string, TSchema>>;
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, fromText(properties[name], text)]),
  );
}

function fromText(schema: TSchema | undefined, text: string): unknown {
  const { type } = (schema ?? {}) as { readonly type?: string };
  if (type === 'integer' && /^-?\d{1,16}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (type === 'array') return text === '' ? [] : text.split(',');
  return text;
}

function validatorOf(schema: TSchema): Validator {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const made = Compile(schema) as Validator;
  compiled.set(schema, made);
  return made;
}

function faultsOf(validator: Validator, value: unknown): Fault[] {
  // Of a name too many it says two things.
  const errors = validator.Errors(value).filter(({ keyword }) => keyword !== 'boolean');
  return errors.slice(0, FAULTS_MAX).map(({ instancePath, message, params }) => {
    const { additionalProperties } = params as { additionalProperties?: readonly string[] };
    return {
      at: instancePath,
      is: additionalProperties === undefined ? message : `${message}: ${additionalProperties.join(', ')}`,
    };
  });
}
