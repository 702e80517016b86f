import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpHandler } from './options.ts';

/**
 * The handler for `node:http`, Express and whatever else hands out Node's requests. Says where a request comes from, passes
 * on that the caller has gone, and writes no faster than the caller reads. It takes an IncomingMessage and a ServerResponse;
 * their types are not named, so that programs without Node's types compile.
 */
export type NodeHandler = (incoming: object, outgoing: object) => Promise<void>;

export function toNodeHandler(handler: HttpHandler): NodeHandler {
  return (incoming, outgoing) => answer(handler, incoming as IncomingMessage, outgoing as ServerResponse);
}

async function answer(
  handler: HttpHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort(new Error('The caller has gone.')));
  const request = requestOf(incoming, gone.signal);
  if (request === null) return refuse(outgoing);
  const remoteAddress = incoming.socket.remoteAddress;
  const facts = { remoteAddress, basePath: mountOf(incoming), method: incoming.method };
  const response = await handler(request, facts);
  await write(response, outgoing);
}

/** Null for what no web-standard request can be. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | null {
  const { method = 'GET', url = '/', headers } = incoming;
  const { originalUrl = url } = incoming as { originalUrl?: string };
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http';
  const address = `${scheme}://${headers.host ?? 'localhost'}${originalUrl.startsWith('/') ? originalUrl : '/'}`;
  const isForbidden = ['TRACE', 'TRACK', 'CONNECT'].includes(method);
  const hasBody = !isForbidden && !['GET', 'HEAD', 'OPTIONS'].includes(method);
  try {
    return new Request(address, {
      // What no web-standard request can have is told as a fact.
      method: isForbidden ? 'GET' : method,
      headers: headersOf(incoming),
      signal,
      ...(hasBody ? { body: bodyOf(incoming), duplex: 'half' } : {}),
    } as RequestInit);
  } catch {
    return null;
  }
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (!rawHeaders[at]?.startsWith(':'))
      headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  return headers;
}

/** What a body parser of the host program has read already is written again. */
function bodyOf(incoming: IncomingMessage): string | ReadableStream {
  const { body } = incoming as { body?: unknown };
  if (body !== undefined && incoming.readableEnded) return JSON.stringify(body);
  const { Readable } = process.getBuiltinModule('node:stream');
  return Readable.toWeb(incoming) as ReadableStream;
}

/** Where Express mounted it. */
function mountOf(incoming: IncomingMessage): string | undefined {
  const { baseUrl } = incoming as { baseUrl?: string };
  return baseUrl === '' ? undefined : baseUrl;
}

async function write(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  const { body } = response;
  if (body === null) {
    outgoing.end();
    return;
  }
  const { Readable } = process.getBuiltinModule('node:stream');
  const { pipeline } = process.getBuiltinModule('node:stream/promises');
  // A caller that goes away ends it: nobody is left to be told.
  await pipeline(Readable.fromWeb(body as never), outgoing).catch(() => undefined);
}

function refuse(outgoing: ServerResponse): void {
  outgoing.writeHead(400, { 'content-type': 'application/problem+json' });
  outgoing.end(
    JSON.stringify({
      type: 'urn:longshore:problem:HTTP_REQUEST_INVALID',
      title: 'a request does not match the API',
      status: 400,
      detail: 'The method, the host or a header of the request cannot be understood.',
      code: 'HTTP_REQUEST_INVALID',
      retryable: false,
      details: {},
    }),
  );
}
