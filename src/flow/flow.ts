import type { FlowData } from '../core/flow/data.ts';
import type { Jsonified } from '../core/jsonified.ts';
import type { Schema, SchemaInput, SchemaOutput } from '../core/schema.ts';

/** Signals that a flow declares, by name; null for any payload. */
export type SignalSchemas = Readonly<Record<string, Schema<unknown, unknown> | null>>;

/** What their payloads are, as they are sent. */
export type SignalsGiven<G> = {
  readonly [Name in keyof G]: G[Name] extends Schema<unknown, unknown> ? SchemaInput<G[Name]> : unknown;
};

/** What a wait for the signal brings. */
export type SignalPayload<G, Name> = Name extends keyof G
  ? G[Name] extends Schema<unknown, unknown>
    ? Jsonified<SchemaOutput<G[Name]>>
    : unknown
  : unknown;

/** Made by `defineFlow`. */
export interface Flow<
  Name extends string = string,
  Given = unknown,
  Result = unknown,
  Signals = Readonly<Record<string, unknown>>,
> {
  readonly name: Name;
  readonly schema: Schema<Given, unknown> | null;
  readonly data: FlowData;
  /** Digest of `data`: runs keep the definition they began with. */
  readonly version: string;
  /** Flows its steps run, theirs included. */
  readonly flows: readonly AnyFlow[];
  /** Schemas of signals, by name. */
  readonly signals: ReadonlyMap<string, Schema>;
  /** Only for the compiler, as is `brought`: payloads of signals by name. */
  readonly result?: Result;
  readonly brought?: Signals;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of flows is heterogeneous.
export type AnyFlow = Flow<string, any, any, any>;
export type FlowGiven<F> = F extends Flow<string, infer Given, infer _R, infer _S> ? Given : never;
export type FlowResult<F> = F extends Flow<string, infer _G, infer Result, infer _S> ? Result : never;
export type FlowSignals<F> = F extends Flow<string, infer _G, infer _R, infer Signals> ? Signals : never;
