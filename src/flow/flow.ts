import type { FlowData } from '../core/flow/data.ts';
import type { Schema } from '../core/schema.ts';

/** Made by `defineFlow`. */
export interface Flow<Name extends string = string, Given = unknown, Result = unknown> {
  readonly name: Name;
  readonly schema: Schema<Given, unknown> | null;
  readonly data: FlowData;
  /** Digest of `data`: runs keep the definition they began with. */
  readonly version: string;
  /** Flows its steps run, theirs included. */
  readonly flows: readonly AnyFlow[];
  /** Schemas of signals, by name. */
  readonly signals: ReadonlyMap<string, Schema>;
  /** Only for the compiler. */
  readonly result?: Result;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of flows is heterogeneous.
export type AnyFlow = Flow<string, any, any>;
export type FlowGiven<F> = F extends Flow<string, infer Given, infer _Result> ? Given : never;
export type FlowResult<F> = F extends Flow<string, infer _Given, infer Result> ? Result : never;
