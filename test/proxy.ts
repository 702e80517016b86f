import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** Stands between clients and a server, and fails as ways to servers do. Servers and clients are real. */
export class TcpProxy {
  /** What becomes of new connections: passed on, closed at once, or accepted and left without a word. */
  admits: 'all' | 'none' | 'silently' = 'all';
  /** What the server says on new connections is kept until they are told to pass it on. */
  holds = false;
  /** Called with each connection and what its client says, before it is passed on. */
  onSaid: (link: Link, data: Buffer) => void = () => {};
  /** What becomes of what the server says, as it was or damaged. */
  spoils: (data: Buffer) => Buffer = (data) => data;
  /** Of the server that new connections go to. */
  port: number;
  /** Connections accepted so far. */
  accepted = 0;
  readonly #links = new Set<Link>();
  /** Also those that one side has left without the other's knowing. */
  readonly #all: Link[] = [];
  readonly #server: Server;

  /** `target` is the server's URL. */
  static async start(t: TestContext, target: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(Number(new URL(target).port));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    t.after(() => {
      proxy.#server.close();
      for (const link of proxy.#all) link.cut();
    });
    return proxy;
  }

  private constructor(port: number) {
    this.port = port;
    this.#server = createServer((near) => {
      this.accepted += 1;
      if (this.admits === 'none') {
        near.on('error', () => {}).destroy();
        return;
      }
      const link = new Link(near, connect({ port: this.port, host: '127.0.0.1' }), {
        said: (data) => this.onSaid(link, data),
        answered: (data) => this.spoils(data),
      });
      if (this.admits === 'silently') link.stall();
      if (this.holds) link.hold();
      this.#links.add(link);
      this.#all.push(link);
      link.closed.then(() => this.#links.delete(link));
    });
  }

  /** The same URL, by way of the proxy. */
  through(url: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href;
  }

  /** The open connections; those for one purpose, if it is given. */
  links(purpose?: Purpose): Link[] {
    return [...this.#links].filter((link) => purpose === undefined || link.purpose === purpose);
  }

  /** Breaks the connections there are. */
  cut(purpose?: Purpose): void {
    for (const link of this.links(purpose)) link.cut();
  }
}

/** What a store uses a connection for: its verbs, hearing hints, or the heartbeats of the thread. */
export type Purpose = 'verbs' | 'ear' | 'heart';

/** One connection. */
export class Link {
  purpose: Purpose = 'verbs';
  readonly closed: Promise<unknown>;
  readonly #near: Socket;
  readonly #far: Socket;
  #deaf = false;
  #stalled = false;
  #held: Buffer[] | null = null;
  #ended = false;

  constructor(
    near: Socket,
    far: Socket,
    { said, answered }: { said: (data: Buffer) => void; answered: (data: Buffer) => Buffer },
  ) {
    this.#near = near;
    this.#far = far;
    this.closed = new Promise((resolve) => near.once('close', resolve));
    near.on('data', (data) => {
      this.purpose = purposeOf(data) ?? this.purpose;
      said(data);
      if (!this.#stalled) far.write(data);
    });
    far.on('data', (answer) => {
      const data = answered(answer);
      if (this.#held !== null) this.#held.push(data);
      else if (!this.#stalled && !this.#deaf) near.write(data);
    });
    near.on('error', () => {}).on('close', () => this.#stalled || far.destroy());
    far
      .on('error', () => {})
      .on('close', () => {
        this.#ended = true;
        if (!this.#stalled && this.#held === null) near.destroy();
      });
  }

  /** What the server says is lost, also that it closed the connection; what the client says arrives. */
  deafen(): void {
    this.#deaf = true;
  }

  /** Half open: nothing passes in either direction any more, not even that one side closed it. */
  stall(): void {
    this.#stalled = true;
  }

  hold(): void {
    this.#held = [];
  }

  /** The server has said something that is held. */
  get holding(): boolean {
    return this.#held !== null && this.#held.length > 0;
  }

  /** The server has closed the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What was held, in one piece, and the end if that was there. */
  passOn(): void {
    const held = Buffer.concat(this.#held ?? []);
    this.#held = null;
    if (this.#ended) this.#near.end(held);
    else this.#near.write(held);
  }

  cut(): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}

/** By the words that only such a connection says; one that gives a queued SUBSCRIBE up only asked whether it may. */
function purposeOf(data: Buffer): Purpose | undefined {
  const text = data.toString('latin1');
  if (/\r\nDISCARD\r\n/.test(text)) return 'verbs';
  if (/subscribe\r\n|LISTEN "/i.test(text)) return 'ear';
  if (/\r\nheart\r\n|AS now\) AS clock/.test(text)) return 'heart';
  return undefined;
}
