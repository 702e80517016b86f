import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { newId } from '../../../src/core/ids.ts';
import { type Internals, openStore } from '../../../src/store/sqlite/open.ts';
import type {
  ClaimRequest,
  JobSpec,
  Lease,
  Settlement,
  Store,
  StoreOptions,
} from '../../../src/store/store.ts';

/** A temporary folder with a database file in it, and everything that is opened there; gone after the test. */
export class Place {
  readonly folder: string;
  readonly file: string;
  readonly url: string;
  readonly #open: { close(): unknown }[] = [];

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
  async store(options: StoreOptions & { readonly hooks?: string } = {}): Promise<Store> {
    const { hooks, ...rest } = options;
    const internals: Internals =
      hooks === undefined ? {} : { hooks: new URL(`./hooks/${hooks}.ts`, import.meta.url).href };
    const store = await openStore(this.url, rest, internals);
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
    for (const open of this.#open) await Promise.resolve(open.close()).catch(() => {});
    await rm(this.folder, { recursive: true });
  }
}

export function spec(fields: Partial<JobSpec> = {}): JobSpec {
  return {
    id: newId(),
    queue: 'q',
    task: 'task',
    priority: 0,
    input: '{"n":1}',
    attemptsMax: 3,
    delayMs: 0,
    dueAt: null,
    unique: null,
    ...fields,
  };
}

export function specs(length: number): JobSpec[] {
  return Array.from({ length }, () => spec());
}

export function request(fields: Partial<ClaimRequest> = {}): ClaimRequest {
  return { workerId: 'w', queues: ['q'], limit: 10, leaseMs: 30_000, ...fields };
}

export function completed({ id, token }: Lease, result: string | null = null): Settlement {
  return { id, token, outcome: { type: 'completed', result } };
}
