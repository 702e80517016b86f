import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';

/** Ends TLS in front of a server that speaks without. Resolves to its URL. */
export async function tlsBefore(t: TestContext, target: string, options: TlsOptions): Promise<string> {
  const port = Number(new URL(target).port);
  const server = createServer(options, (near) => {
    const far = connect({ port, host: '127.0.0.1' });
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.pipe(far).pipe(near);
    t.after(() => near.destroy());
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}
