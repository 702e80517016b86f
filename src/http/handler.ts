import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import { isByHand, recordAction } from './audit.ts';
import { readJson } from './body.ts';
import { Cache } from './cache.ts';
import { check, fromTexts } from './check.ts';
import type { Face } from './face.ts';
import { Feed } from './feed.ts';
import { Guard } from './guard.ts';
import { openApi } from './openapi.ts';
import type { Answer, Call, Means, Operation } from './operation.ts';
import type { HttpHandler, HttpSettings, RequestFacts } from './options.ts';
import { pageFor } from './page.ts';
import { problemOf } from './problem.ts';
import { type Redact, redaction } from './redaction.ts';
import { OPERATIONS } from './resources/all.ts';
import { Router } from './router.ts';
import { Samples } from './samples.ts';
import { isShareable, keyOf, SHARED_MS } from './shared.ts';

/**
 * The HTTP API: web-standard requests in, responses out. A table of operations (resources/) says for each path which schemas
 * hold, which role is needed and what is done; this file carries a request through it. Uses the public face of a `Longshore`,
 * never a store. Nothing here may grow with what callers send: bodies, pages, streams and what is remembered are bounded.
 */
export interface HandlerMeans {
  readonly longshore: Face;
  readonly settings: HttpSettings;
  readonly clock: Clock;
}

const PREFIX = '/api/v1';
const CACHED_MS = 5_000;

export function httpHandler(given: HandlerMeans): HttpHandler {
  const redact = redaction(given.settings.redact);
  const samples = new Samples(given.longshore, given.clock);
  const feed = new Feed({ ...given, samples, redact });
  const means: Means = { ...given, samples, feed, cache: new Cache(given.clock, CACHED_MS) };
  const shared = new Cache<Answer>(given.clock, SHARED_MS);
  const guard = new Guard(given.settings, given.clock);
  const router = new Router(OPERATIONS);
  const answer = async (request: Request, facts: RequestFacts): Promise<Response> => {
    const base = given.settings.basePath ?? facts.basePath ?? '';
    const path = pathBelow(base, request);
    if (path === '/openapi.json') return documentFor(request, base);
    const page = pageFor(path, request);
    if (page !== null) return page;
    const { operation, params, allow } = routeOf(router, path, facts.method ?? request.method);
    if (operation === null) return new Response(null, { status: 204, headers: { allow } });
    const caller = await guard.admit(request, facts, operation.role);
    const call = {
      ...means,
      ...(await read({ operation, params }, request, given.settings)),
      caller,
      base: base + PREFIX,
    };
    const run = () => operation.run(call as Call<never, never, never>);
    const answer = await (isShareable(operation, request) ? shared.get(keyOf(request), run) : run());
    if (isByHand(operation)) {
      forget(means);
      shared.clear();
      await recordAction({ operation, call, json: answer instanceof Response ? null : answer.json });
    }
    return respond(answer, redact);
  };
  const handler = async (request: Request, facts: RequestFacts = {}): Promise<Response> => {
    const response = await answer(request, facts).catch((error: unknown) => {
      // A caller that has gone is no fault.
      if (!(error instanceof LongshoreError) && !request.signal.aborted) given.settings.onError(error);
      return problemOf(error);
    });
    return request.method === 'HEAD' ? withoutBody(response) : response;
  };
  return Object.assign(handler, {
    close() {
      means.feed.close();
      samples.close();
      means.cache.clear();
      shared.clear();
    },
  });
}

/** Whoever acted sees what it did. */
function forget({ samples, cache }: Means): void {
  samples.forget();
  cache.clear();
}

function pathBelow(base: string, request: Request): string {
  const { pathname } = new URL(request.url);
  if (pathname === base || pathname.startsWith(`${base}/`)) return pathname.slice(base.length);
  throw unknownPath(pathname);
}

/** The operation is null for OPTIONS. Throws HTTP_PATH_UNKNOWN, HTTP_METHOD_REFUSED, HTTP_REQUEST_INVALID. */
function routeOf(router: Router, path: string, method: string): Route {
  const match = path.startsWith(`${PREFIX}/`) ? router.match(path.slice(PREFIX.length)) : null;
  if (match === null) throw unknownPath(path);
  const { params, operations, methods } = match;
  const allow = methods.join(', ');
  const operation = operations.get((method === 'HEAD' ? 'GET' : method) as Operation['method']);
  if (operation === undefined && method !== 'OPTIONS') throw methodRefused(method, path, allow);
  return { operation: operation ?? null, params, allow };
}

interface Route {
  readonly operation: Operation | null;
  readonly params: Readonly<Record<string, string>>;
  readonly allow: string;
}

function documentFor(request: Request, base: string): Response {
  if (request.method === 'OPTIONS')
    return new Response(null, { status: 204, headers: { allow: DOCUMENT_METHODS } });
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw methodRefused(request.method, '/openapi.json', DOCUMENT_METHODS);
  return json({ json: openApi(OPERATIONS, base + PREFIX) });
}

const DOCUMENT_METHODS = 'GET, HEAD, OPTIONS';

type Read = Pick<Call<unknown, unknown, unknown>, 'params' | 'query' | 'body' | 'headers' | 'signal'>;

/** Throws HTTP_REQUEST_INVALID, HTTP_MEDIA_TYPE_REFUSED, PAYLOAD_TOO_LARGE. */
async function read(
  { operation, params }: { readonly operation: Operation; readonly params: Route['params'] },
  request: Request,
  { bodyBytesMax }: HttpSettings,
): Promise<Read> {
  const query = fromTexts(operation.query, queryOf(request));
  const headers = Object.fromEntries(
    Object.keys(operation.headers.properties).flatMap((name) => {
      const value = request.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  check(operation.params, params, 'path');
  check(operation.query, query, 'query');
  check(operation.headers, headers, 'headers');
  const body = await readJson(request, bodyBytesMax);
  if (operation.body === null && body !== undefined)
    throw new LongshoreError('HTTP_REQUEST_INVALID', 'This takes no body.');
  if (operation.body !== null && !(body === undefined && operation.bodyOptional))
    check(operation.body, body, 'body');
  return { params, query, headers, body: body ?? {}, signal: request.signal };
}

/** Throws HTTP_REQUEST_INVALID for a parameter that comes twice. */
function queryOf(request: Request): Record<string, string> {
  const texts: Record<string, string> = Object.create(null);
  for (const [name, value] of new URL(request.url).searchParams) {
    if (name in texts)
      throw new LongshoreError(
        'HTTP_REQUEST_INVALID',
        `The query has ${JSON.stringify(name.slice(0, 80))} twice.`,
      );
    texts[name] = value;
  }
  return texts;
}

function respond(answer: Answer, redact: Redact): Response {
  return answer instanceof Response ? answer : json({ ...answer, json: redact(answer.json) });
}

/** Nothing that is sent may be kept by a cache, or taken for a page by a browser. */
function json({ json, status = 200, headers }: Exclude<Answer, Response>): Response {
  const all = new Headers(headers);
  all.set('cache-control', 'no-store');
  all.set('x-content-type-options', 'nosniff');
  if (json === undefined) return new Response(null, { status, headers: all });
  all.set('content-type', 'application/json');
  return new Response(JSON.stringify(json), { status, headers: all });
}

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}

function unknownPath(path: string): LongshoreError {
  return new LongshoreError(
    'HTTP_PATH_UNKNOWN',
    `There is nothing at ${JSON.stringify(path.slice(0, 200))}; /openapi.json lists what there is.`,
  );
}

function methodRefused(method: string, path: string, allow: string): LongshoreError {
  return new LongshoreError(
    'HTTP_METHOD_REFUSED',
    `${JSON.stringify(path.slice(0, 200))} does not take ${method}; it takes ${allow}.`,
    { details: { allow } },
  );
}
