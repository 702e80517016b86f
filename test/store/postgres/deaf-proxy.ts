import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A way to the server that a test can make deaf, and break. */
export class DeafProxy {
  /** Answers of the server are thrown away. */
  deaf = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(t: TestContext, target: string): Promise<DeafProxy> {
    const { hostname: host, port } = new URL(target);
    const proxy = new DeafProxy(() => connect(Number(port), host));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      proxy.cut();
      proxy.#server.close();
    });
    return proxy;
  }

  private constructor(reach: () => Socket) {
    this.#server = createServer((near) => {
      const far = reach();
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.on('data', (data) => far.write(data));
      far.on('data', (data) => {
        if (!this.deaf) near.write(data);
      });
    });
  }

  get port(): string {
    return String((this.#server.address() as AddressInfo).port);
  }

  /** Breaks all connections there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
