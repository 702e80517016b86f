import { LongshoreError, optionInvalid, requireName, show } from '../core/errors.ts';
import { isSchema, type Schema } from '../core/schema.ts';
import type { SignalSchemas } from './flow.ts';
import { wrong } from './step-options.ts';

/** The signals of a flow while it is defined: those that it declares, and those that its steps wait for. */
export class SignalSet {
  /** By the signal's name; for who sends them. */
  readonly schemas = new Map<string, Schema>();
  readonly #declared: ReadonlyMap<string, Schema | null> | null;
  readonly #awaited = new Set<string>();

  /** Throws OPTION_INVALID. */
  constructor(declared: SignalSchemas | null) {
    this.#declared =
      declared === null ? null : new Map(Object.entries(declared) as [string, Schema | null][]);
    for (const [name, schema] of this.#declared ?? []) {
      requireName('signals', name);
      if (schema !== null && !isSchema(schema))
        throw optionInvalid(`signals.${name}`, schema, 'a Standard Schema v1, or null for any payload');
    }
  }

  /** A step waits for the signal. Throws FLOW_INVALID. */
  await(step: string, signal: string, given: Schema<unknown, unknown> | null): void {
    if (given !== null && !isSchema(given))
      throw wrong(
        step,
        `the schema is ${show(given)}; expected a Standard Schema v1, or null for any payload`,
      );
    const declared = this.#declared?.get(signal);
    if (this.#declared !== null && declared === undefined)
      throw wrong(
        step,
        `it waits for signal ${show(signal)}, which the flow does not declare; its signals are ${this.#names()}`,
      );
    if (given !== null && declared !== undefined && given !== declared)
      throw wrong(
        step,
        `signal ${show(signal)} has its schema in the flow's signals; leave out that of the step`,
      );
    const schema = given ?? declared ?? null;
    if (schema !== null) this.schemas.set(signal, schema as Schema);
    this.#awaited.add(signal);
  }

  /** Throws FLOW_INVALID for a signal that no step waits for. */
  requireAwaited(flow: string): void {
    for (const name of this.#declared?.keys() ?? [])
      if (!this.#awaited.has(name))
        throw new LongshoreError(
          'FLOW_INVALID',
          `Flow ${show(flow)} declares signal ${show(name)}, and no step waits for it.`,
          { details: { flow, signal: name } },
        );
  }

  #names(): string {
    return [...(this.#declared?.keys() ?? [])].map(show).join(', ') || 'none';
  }
}
