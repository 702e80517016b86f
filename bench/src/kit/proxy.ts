import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network that is slower: a proxy on this machine which holds what the server answers back for so long. */
export interface SlowNetwork {
  /** The URL through it. */
  through(url: string): string;
  close(): void;
}

export async function slowNetwork(serverUrl: string, delayMs: number): Promise<SlowNetwork> {
  const target = new URL(serverUrl);
  const port = Number(target.port || (target.protocol.startsWith('redis') ? 6379 : 5432));
  const sockets = new Set<Socket>();
  const proxy = createServer({ noDelay: true }, (client) => {
    const server = connect({ host: target.hostname, port, noDelay: true });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    }
    client.pipe(server);
    server.on('data', (chunk) => void setTimeout(() => client.write(chunk), delayMs));
    server.once('close', () => void setTimeout(() => client.destroy(), delayMs));
    client.once('close', () => server.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const own = (proxy.address() as AddressInfo).port;
  return {
    through(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(own);
      return changed.href;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
