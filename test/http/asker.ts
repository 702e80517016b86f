import assert from 'node:assert/strict';
import { Compile } from 'typebox/compile';
import type { HttpHandler, RequestFacts } from '../../src/index.ts';

/** Asks a handler, and holds every answer to the OpenAPI document that the handler shows. */
export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form; their schemas are checked here.
  readonly body: any;
}

export interface AskOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly facts?: RequestFacts;
  /** Default `http://localhost`. */
  readonly origin?: string;
}

export type Ask = (place: string, options?: AskOptions) => Promise<Asked>;

const API = '/api/v1';
const LOCAL: RequestFacts = { remoteAddress: '127.0.0.1' };

/** `place`: a method and a path below `/api/v1`, or one that begins with `//` for the root. */
export async function askerOf(handler: HttpHandler): Promise<Ask> {
  const local = await handler(new Request('http://localhost/openapi.json'), LOCAL);
  const document = (await local.json()) as Document;
  return async (place, { body, headers = {}, facts = LOCAL, origin = 'http://localhost' } = {}) => {
    const [method = 'GET', path = ''] = place.split(' ');
    const url = path.startsWith('//') ? `${origin}${path.slice(1)}` : `${origin}/api/v1${path}`;
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await handler(
      new Request(url, {
        method,
        headers: { ...json, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
      facts,
    );
    const text = await response.text();
    const parsed: unknown = text === '' ? null : JSON.parse(text);
    const { pathname } = new URL(url);
    if (method !== 'HEAD' && method !== 'OPTIONS' && pathname.startsWith(API))
      holdToDocument(document, `${method} ${pathname.slice(API.length)}`, response, parsed);
    return { status: response.status, headers: response.headers, body: parsed };
  };
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: { readonly Problem: object } };
}

interface OperationObject {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

function holdToDocument(document: Document, place: string, response: Response, body: unknown): void {
  const media = response.headers.get('content-type') ?? '';
  if (media === 'application/problem+json') {
    hold(document.components.schemas.Problem, body, place);
    return;
  }
  const content = operationFor(document, place)?.responses[String(response.status)]?.content;
  const schema = content?.[media]?.schema;
  assert.ok(
    schema !== undefined,
    `${place} answered ${response.status} ${media}, which the document does not have`,
  );
  hold(schema, body, place);
}

function operationFor({ paths }: Document, place: string): OperationObject | undefined {
  const [method = '', path = ''] = place.split(' ');
  const fits = Object.keys(paths).filter((one) =>
    new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const best = fits.sort((one, other) => one.split('{').length - other.split('{').length)[0];
  return paths[best ?? '']?.[method.toLowerCase()];
}

const compiled = new WeakMap<object, ReturnType<typeof Compile>>();

function hold(schema: object, body: unknown, place: string): void {
  const validator = compiled.get(schema) ?? Compile(schema as never);
  compiled.set(schema, validator);
  const [first] = validator.Check(body) ? [] : validator.Errors(body);
  assert.equal(
    first,
    undefined,
    `${place}: ${JSON.stringify(first)} of ${JSON.stringify(body)?.slice(0, 400)}`,
  );
}
