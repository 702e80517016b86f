import { once } from 'node:events';
import { connect, createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Certificate } from '../../certificates.ts';

/** TLS in front of a real server, ended by HTTP/2 rather than by bytes, so that a test sees the metadata of requests. */
export interface TlsServer {
  /** `localhost:port`. */
  readonly address: string;
  /** The `authorization` of each request. */
  readonly authorizations: ReadonlySet<string | undefined>;
  /** Of connections from now on. */
  present(certificate: Certificate): void;
}

interface Options extends Certificate {
  /** Of client certificates, which it then asks for. */
  readonly clientCa?: string;
}

export async function tlsBeforeTemporal(
  t: TestContext,
  target: string,
  { cert, key, clientCa }: Options,
): Promise<TlsServer> {
  const authorizations = new Set<string | undefined>();
  const upstream = connect(`http://${target}`);
  upstream.on('error', () => undefined);
  const asks = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createSecureServer({ cert, key, ...asks });
  server.on('sessionError', () => undefined).on('tlsClientError', () => undefined);
  server.on('session', (session) => t.after(() => session.destroy()));
  server.on('stream', (stream, headers) => {
    authorizations.add(headers.authorization);
    pass(stream, upstream.request({ ...headers, ':scheme': 'http' }, { endStream: false }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    upstream.destroy();
    server.close();
  });
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    authorizations,
    present: ({ cert, key }) => server.setSecureContext({ cert, key, ...asks }),
  };
}

type Forwarded = ReturnType<ReturnType<typeof connect>['request']>;

/** What gRPC needs of HTTP/2: trailers, and that either side may give up. */
function pass(near: ServerHttp2Stream, far: Forwarded): void {
  const trailers = Promise.withResolvers<IncomingHttpHeaders>();
  near.on('error', () => far.close());
  far.on('error', () => near.close());
  near.on('close', () => far.close(near.rstCode));
  far.on('close', () => trailers.resolve({}));
  far.on('trailers', (sent) => trailers.resolve(sent));
  far.on('response', (head, flags) => {
    if (near.destroyed) return;
    const isWhole = (flags & END_STREAM) !== 0;
    near.respond(head, { endStream: isWhole, waitForTrailers: !isWhole });
    if (!isWhole) far.pipe(near);
  });
  near.on('wantTrailers', async () => {
    const sent = await trailers.promise;
    if (!near.destroyed) near.sendTrailers(sent);
  });
  near.pipe(far);
}

const END_STREAM = 1;
