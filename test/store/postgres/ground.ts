import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import pg from 'pg';
import { postgresDriver } from '../../../src/store/postgres/index.ts';
import { type Place, placeOf, quoted } from '../../../src/store/postgres/url.ts';
import type { Store, StoreOptions } from '../../../src/store/store.ts';
import { serverUrl } from '../../servers.ts';

/** A schema of one test's own, not yet made, and a connection beside the store to look and to meddle with. */
export class Ground {
  readonly server: string;
  readonly schema: string;
  readonly admin: pg.Client;
  readonly #ends: (() => Promise<unknown>)[] = [];

  /** Undefined where there is no server; then the test is skipped. */
  static async make(t: TestContext): Promise<Ground | undefined> {
    const server = await serverUrl(t, 'postgres');
    if (server === undefined) return undefined;
    const ground = new Ground(server);
    await ground.admin.connect();
    ground.finally(() => ground.admin.end());
    ground.finally(() => ground.query(`DROP SCHEMA IF EXISTS ${ground.name} CASCADE`));
    t.after(async () => {
      for (const end of ground.#ends.reverse()) await end();
    });
    return ground;
  }

  /** As `make`, migrated. */
  static async migrated(t: TestContext): Promise<Ground | undefined> {
    const ground = await Ground.make(t);
    await ground?.migrate();
    return ground;
  }

  private constructor(server: string) {
    this.server = server;
    this.schema = `own_${randomUUID().slice(0, 8)}`;
    this.admin = new pg.Client({ connectionString: server });
  }

  /** To be done when the test ends, the last first. */
  finally(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  /** Of the schema, as statements need it. */
  get name(): string {
    return quoted(this.schema);
  }

  get url(): string {
    return this.urlWith({});
  }

  get place(): Place {
    return placeOf(this.url);
  }

  /** The store's URL with these options; `user`, `password`, `database`, `host` and `port` change those parts. */
  urlWith({ user, password, database, host, port, ...options }: Readonly<Record<string, string>>): string {
    const url = new URL(this.server);
    if (user !== undefined) url.username = user;
    if (password !== undefined) url.password = password;
    if (database !== undefined) url.pathname = `/${database}`;
    if (host !== undefined) url.hostname = host;
    if (port !== undefined) url.port = port;
    for (const [name, value] of Object.entries({ schema: this.schema, ...options }))
      url.searchParams.set(name, value);
    return url.href;
  }

  migrate() {
    return postgresDriver.migrate(this.url, { dryRun: false });
  }

  /** Closed when the test ends. */
  async store(options: StoreOptions = {}, url = this.url): Promise<Store> {
    const store = await postgresDriver.open(url, options);
    this.finally(() => store.close());
    return store;
  }

  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.admin.query<Row>(text, [...values])).rows;
  }

  /** A role that may log in, gone with the test. */
  async role(password?: string): Promise<string> {
    const role = `role_${randomUUID().slice(0, 8)}`;
    await this.query(`CREATE ROLE ${role} LOGIN ${password === undefined ? '' : `PASSWORD '${password}'`}`);
    this.finally(() => this.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
    return role;
  }
}
