import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { type Internals, openStore } from '../../../src/store/sqlite/open.ts';
import type { Store, StoreOptions } from '../../../src/store/store.ts';

/** A temporary folder with a database file in it, and everything that is opened there; gone after the test. */
export class Place {
  readonly folder: string;
  readonly file: string;
  readonly url: string;
  readonly #open: { close(): unknown }[] = [];
  /** A store keeps no process alive, also not while a test waits for a hint. */
  readonly #alive = setInterval(() => {}, 60_000);

  private constructor(folder: string) {
    this.folder = folder;
    this.file = join(folder, 'jobs.db');
    this.url = `sqlite:${this.file}`;
  }

  static async make(t: TestContext): Promise<Place> {
    const place = new Place(await mkdtemp(join(tmpdir(), 'longshore-sqlite-')));
    t.after(() => place.#clear());
    return place;
  }

  /** `hooks` names a module of the folder hooks/. */
  async store(options: StoreOptions & Internals = {}): Promise<Store> {
    const { hooks, ...rest } = options;
    const module = hooks === undefined ? {} : { hooks: new URL(`./hooks/${hooks}.ts`, import.meta.url).href };
    const store = await openStore(this.url, rest, { ...rest, ...module });
    this.#open.push(store);
    return store;
  }

  /** Another program's connection to the same file. */
  stranger(): DatabaseSync {
    const database = new DatabaseSync(this.file);
    this.#open.push({ close: () => database.isOpen && database.close() });
    return database;
  }

  async #clear(): Promise<void> {
    clearInterval(this.#alive);
    for (const open of this.#open) await Promise.resolve(open.close()).catch(() => {});
    await rm(this.folder, { recursive: true });
  }
}
