import Type, { type TProperties, type TSchema } from 'typebox';
import { JOB_STATES } from '../core/job-state.ts';

/** The parts that schemas of several resources are made of. */

/** As core's requireName. */
const NO_CONTROL = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$';

export function Name(description: string, maxLength = 200) {
  return Type.String({ minLength: 1, maxLength, pattern: NO_CONTROL, description });
}

export const Id = Name('An id');
export const Queue = Name('The name of a queue');
export const Task = Name('The name of a task');
export const Time = Type.Number({ description: 'Milliseconds since the epoch' });
/** A time to be given: whole, and one that a date can hold. */
export const GivenTime = Type.Integer({
  minimum: 0,
  maximum: 8_640_000_000_000_000,
  description: 'Milliseconds since the epoch',
});
const MS_MAX = 1_000 * 365 * 86_400_000;
export const Ms = Type.Integer({ minimum: 0, maximum: MS_MAX, description: 'Milliseconds' });
export const PositiveMs = Type.Integer({ minimum: 1, maximum: MS_MAX, description: 'Milliseconds' });
export const Payload = Type.Unknown({ description: 'Any JSON' });
export const State = Type.Enum([...JOB_STATES]);
export const Cursor = Type.String({ pattern: '^[0-9]{1,15}$', description: 'From the page before' });
export const Why = Type.String({ maxLength: 2_000, description: 'For the audit trail' });

export function Limit(max: number, standard: number) {
  return Type.Integer({ minimum: 1, maximum: max, description: `Items of a page; default ${standard}` });
}

/** Exactly these properties; `rules` say more about them, and in words. */
export function Closed<P extends TProperties>(properties: P, rules: Rules | null = null) {
  return Type.Object(properties, { additionalProperties: false, ...rules });
}

/** Keywords of JSON Schema about properties together. */
export interface Rules {
  readonly description: string;
  readonly oneOf?: readonly object[];
  readonly allOf?: readonly object[];
  readonly not?: object;
}

export function exactlyOne(...names: readonly string[]): Rules {
  const oneOf = names.map((name) => ({ required: [name] }));
  return { oneOf, description: `Exactly one of ${names.join(', ')} must be given` };
}

export function notBoth(one: string, other: string): Rules {
  return { not: { required: [one, other] }, description: `Only one of ${one} and ${other} may be given` };
}

export function Nullable<S extends TSchema>(schema: S) {
  return Type.Union([schema, Type.Null()]);
}

/** A list in a query: separated by commas. */
export function OneOrMore<S extends TSchema>(item: S, description: string) {
  return Type.Array(item, { minItems: 1, maxItems: 50, description });
}

/** What is kept with a job beside its input. */
export const MetaGiven = Closed({
  correlationId: Type.Optional(Name('Ties the job to what caused it')),
  traceparent: Type.Optional(
    Type.String({
      pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
      description: 'W3C Trace Context',
    }),
  ),
  tracestate: Type.Optional(Name('W3C Trace Context', 512)),
  tags: Type.Optional(Type.Array(Name('A tag', 100), { maxItems: 16 })),
});

export const Reason = Closed({ why: Type.Optional(Why) });

export const PriorityGiven = Type.Union([
  Type.Integer({ minimum: -(2 ** 31 - 1), maximum: 2 ** 31 - 1 }),
  Type.Enum(['high', 'medium', 'low']),
]);

export const AttemptErrorForm = Closed({
  attempt: Type.Integer(),
  at: Time,
  name: Type.String(),
  message: Type.String(),
  stack: Nullable(Type.String()),
  code: Nullable(Type.String()),
});

export const ReasonForm = Closed({
  code: Type.String({ description: 'As `queuePaused`, `noWorkerWithTask`, `dueLater`' }),
  text: Type.String({ description: 'A sentence for people' }),
  until: Nullable(Type.Number({ description: 'When it ends by itself, in milliseconds since the epoch' })),
});
