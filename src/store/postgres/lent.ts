import { createHash } from 'node:crypto';
import { sqlState } from './errors.ts';
import { parametersOf, TYPES } from './parameters.ts';

/** What a driver's pool gives out. */
export interface PoolClient {
  query(config: object): Promise<QueryResult | QueryResult[]>;
  release(error?: Error | boolean): void;
  /** Statements are sent without waiting for the answers to those before. */
  readonly pipeline?: boolean;
  readonly processID?: number | null;
  readonly connection?: { readonly stream?: { destroy(): void } };
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

interface QueryResult {
  readonly rows: unknown[];
}

/** A lent connection. */
export class Lent {
  /** The time ran out: the connection is broken off. */
  expired = false;
  /** The driver could not send a statement: it may take one for prepared that the server does not know. */
  spoilt = false;
  /** How long one statement may take. */
  readonly timeoutMs: number;
  readonly #client: PoolClient;
  readonly #prepares: boolean;
  readonly #timer: NodeJS.Timeout;
  #open = 0;

  constructor(client: PoolClient, { timeoutMs, prepares }: { timeoutMs: number; prepares: boolean }) {
    this.#client = client;
    this.timeoutMs = timeoutMs;
    this.#prepares = prepares;
    this.#timer = setTimeout(() => this.#expire(), timeoutMs);
  }

  /** Whether statements may be sent before those ahead of them are answered. */
  get pipelined(): boolean {
    return this.#client.pipeline === true;
  }

  /** Whether Buffers are sent as they are; a borrowed pool of libpq's connections would make texts of them. */
  get binary(): boolean {
    return this.#client.connection !== undefined;
  }

  /** Of the server's process, as the connection was greeted; null where that is not known. */
  get processId(): number | null {
    return this.#client.processID ?? null;
  }

  /** No statement is under way. */
  get idle(): boolean {
    return this.#open === 0;
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const name = this.#prepares ? nameOf(text) : undefined;
    const result = await this.#send({ text, values: parametersOf(values), name, types: TYPES });
    return (result as QueryResult).rows as Row[];
  }

  /** One statement that gives many rows, as arrays. */
  async tuples<Row>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const name = this.#prepares ? nameOf(text) : undefined;
    const result = await this.#send({
      text,
      values: parametersOf(values),
      name,
      types: TYPES,
      rowMode: 'array',
    });
    return (result as QueryResult).rows as Row[];
  }

  /** Statements without values, in one message; the rows of the last one. */
  async script<Row>(text: string): Promise<Row[]> {
    const result = await this.#send({ text, types: TYPES });
    return ((Array.isArray(result) ? result.at(-1) : result) as QueryResult).rows as Row[];
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #send(config: object): Promise<QueryResult | QueryResult[]> {
    this.#open += 1;
    try {
      const result = await this.#client.query(config);
      this.#timer.refresh();
      return result;
    } catch (error) {
      if (sqlState(error) === null) this.spoilt = true;
      throw error;
    } finally {
      this.#open -= 1;
    }
  }

  #expire(): void {
    this.expired = true;
    this.#client.connection?.stream?.destroy();
  }
}

const NAMES = new Map<string, string>();

/** Made from the text, so that stores which share a borrowed connection never mean different things by one name. */
function nameOf(text: string): string {
  let name = NAMES.get(text);
  if (name === undefined) {
    name = `longshore_${createHash('sha1').update(text).digest('hex')}`;
    NAMES.set(text, name);
  }
  return name;
}
