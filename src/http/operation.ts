import type { Static, TObject, TSchema } from 'typebox';
import Type from 'typebox';
import type { Clock } from '../core/clock.ts';
import type { Cache } from './cache.ts';
import type { Face } from './face.ts';
import type { Feed } from './feed.ts';
import type { HttpSettings } from './options.ts';
import type { Caller, Role } from './roles.ts';
import type { Samples } from './samples.ts';

/**
 * One method of one path: the schemas that check its requests and that openapi.ts makes the document of, the role it needs,
 * and what it does.
 */
export interface Operation {
  readonly id: string;
  readonly method: Method;
  /** Below `/api/v1`, with `{names}`. */
  readonly path: string;
  readonly summary: string;
  /** `anyone`: asks for no token. */
  readonly role: Role | 'anyone';
  readonly params: TObject;
  readonly query: TObject;
  readonly body: TSchema | null;
  /** The body may be left out. */
  readonly bodyOptional: boolean;
  readonly headers: TObject;
  /** By status: what it is, and its schema; null: no body, or one that is not JSON. */
  readonly answers: Answers;
  readonly run: (call: Call<never, never, never>) => Promise<Answer>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type Answers = Readonly<
  Record<number, { readonly is: string; readonly schema: TSchema | null; readonly media?: string }>
>;

export interface Means {
  readonly longshore: Face;
  readonly settings: HttpSettings;
  readonly clock: Clock;
  readonly samples: Samples;
  readonly feed: Feed;
  /** For 5 s. */
  readonly cache: Cache<unknown>;
}

export interface Call<Params, Query, Body> extends Means {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
  readonly caller: Caller;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
  /** Where the API is, e.g. `/jobs/api/v1`. */
  readonly base: string;
}

/** JSON of status 200, or a response with all it needs. */
export type Answer =
  | { readonly json: unknown; readonly status?: number; readonly headers?: Readonly<Record<string, string>> }
  | Response;

interface Given<P extends TObject, Q extends TObject, B extends TSchema> {
  readonly id: string;
  readonly summary: string;
  readonly role: Role | 'anyone';
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly bodyOptional?: true;
  readonly headers?: TObject;
  readonly answers: Answers;
  run(call: Call<Static<P>, Static<Q>, Static<B>>): Promise<Answer>;
}

const NONE = Type.Object({}, { additionalProperties: false });

export function operation<P extends TObject, Q extends TObject, B extends TSchema>(
  place: `${Method} /${string}`,
  given: Given<P, Q, B>,
): Operation {
  const [method, path] = place.split(' ') as [Method, string];
  return {
    ...given,
    method,
    path,
    params: given.params ?? NONE,
    query: given.query ?? NONE,
    body: given.body ?? null,
    bodyOptional: given.bodyOptional ?? false,
    headers: given.headers ?? NONE,
    run: given.run as Operation['run'],
  };
}
