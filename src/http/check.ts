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
  if (validatorOf(schema).Check(value)) return value;
  const faults = faultsOf(schema, value);
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

function faultsOf(schema: TSchema, value: unknown): Fault[] {
  const { description } = schema as { readonly description?: string };
  return validatorOf(schema)
    .Errors(value)
    .filter((error) => !isEcho(error))
    .slice(0, FAULTS_MAX)
    .map(({ instancePath, message, params, keyword }) => {
      // Rules about properties together are told in words (forms.ts).
      if (instancePath === '' && ['oneOf', 'not'].includes(keyword))
        return { at: '', is: description ?? message };
      const { additionalProperties } = params as { additionalProperties?: readonly string[] };
      const names = additionalProperties === undefined ? '' : `: ${additionalProperties.join(', ')}`;
      return { at: instancePath, is: `${message}${names}` };
    });
}

/** Said once more by another error: of a name too many, or of what none of several forms fits. */
function isEcho({ keyword, schemaPath }: { readonly keyword: string; readonly schemaPath: string }): boolean {
  return keyword === 'boolean' || /^#(\/allOf\/\d+)?\/oneOf\//.test(schemaPath);
}
