import { LongshoreError, show } from './errors.ts';

/**
 * The part of the Standard Schema v1 interface (standardschema.dev) that Longshore uses. zod, valibot, arktype and
 * others implement it, so no schema library is a dependency.
 */
export interface Schema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type SchemaInput<S> = S extends Schema<infer Input, unknown> ? Input : never;
export type SchemaOutput<S> = S extends Schema<infer _Input, infer Output> ? Output : never;

/** Whether `value` implements the interface; arktype's schemas are functions, the others are objects. */
export function isSchema(value: unknown): value is Schema {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const standard = (value as { '~standard'?: { version?: unknown; validate?: unknown } })['~standard'];
  return standard?.version === 1 && typeof standard.validate === 'function';
}

/** The schema's output for `value`, at once where the schema is synchronous. Throws INPUT_INVALID, by rejection where it is not. */
export function validate<Output>(
  schema: Schema<unknown, Output>,
  value: unknown,
  what: string,
): Output | Promise<Output> {
  const result = schema['~standard'].validate(value);
  // Promises of other realms and libraries have a `then` as well; callers get one of this realm.
  return 'then' in result
    ? Promise.resolve(result).then((settled) => accept(settled, value, what))
    : accept(result, value, what);
}

function accept<Output>(result: SchemaResult<Output>, value: unknown, what: string): Output {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map((issue) => describe(issue, value));
  const lines = issues.map(({ field, got, message }) => `${field}: ${message} (got ${got})`);
  throw new LongshoreError(
    'INPUT_INVALID',
    `${what.charAt(0).toUpperCase()}${what.slice(1)} does not match its schema: ${lines.join('; ')}.`,
    {
      details: { issues },
    },
  );
}

function describe(issue: SchemaIssue, root: unknown): { field: string; got: string; message: string } {
  // Not `path.map`: arktype's path is a subclass of Array whose `map` adds an element.
  const keys = Array.from(issue.path ?? [], (part) => (typeof part === 'object' ? part.key : part));
  let value = root;
  for (const key of keys)
    value = value === null || value === undefined ? undefined : (value as Record<PropertyKey, unknown>)[key];
  return {
    field: keys.length === 0 ? 'input' : keys.map(String).join('.'),
    got: show(value),
    message: issue.message,
  };
}
