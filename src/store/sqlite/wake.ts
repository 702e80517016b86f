import { join } from 'node:path';
import type { Topic } from '../notifier.ts';
import type { Connection } from './connection.ts';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from './files.ts';

/**
 * Wake-ups between processes, the store thread's side. After a commit that is a hint for a topic, this touches a file
 * in the folder `<database>-wake`, which the others watch (notifier.ts). Each opened store touches files of its own,
 * `<topic>.<instance>`, so that it can tell its own hints, which it gets faster with its replies, from the others'.
 * While somebody listens here, `PRAGMA data_version` is asked in addition: a watch that is not supported, or a touch
 * that was lost, costs latency and nothing else.
 */

/** Between two touches of one file, at least. */
const TOUCH_MS = 2;
const LOOK_MS = 250;
/** Files of stores that were never closed are removed after this time; one still in use comes back with its next touch. */
const STALE_MS = 3_600_000;

export function wakeFolder(file: string): string {
  return `${file}-wake`;
}

export class Waker {
  readonly #db: Connection;
  readonly #instance: string;
  readonly #onChange: () => void;
  readonly #touched = new Map<Topic, number>();
  readonly #late = new Map<Topic, NodeJS.Timeout>();
  #looking: NodeJS.Timeout | null = null;
  #version = 0;

  constructor(db: Connection, instance: string, onChange: () => void) {
    this.#db = db;
    this.#instance = instance;
    this.#onChange = onChange;
    this.#prepareFolder();
  }

  /** At most one touch a topic in 2 ms, the last one never left out. */
  committed(topics: Iterable<Topic>): void {
    for (const topic of topics) {
      if (this.#late.has(topic)) continue;
      const waitMs = (this.#touched.get(topic) ?? 0) + TOUCH_MS - performance.now();
      if (waitMs <= 0) this.#touch(topic);
      else
        this.#late.set(
          topic,
          setTimeout(() => this.#touch(topic), waitMs),
        );
    }
  }

  watch(on: boolean): void {
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#looking = null;
    if (!on) return;
    this.#version = this.#dataVersion();
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
  }

  close(): void {
    this.watch(false);
    for (const topic of [...this.#late.keys()]) this.#touch(topic);
    for (const topic of this.#touched.keys()) quietly(() => rmSync(this.#path(topic)));
  }

  #look(): void {
    const version = this.#dataVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.#onChange();
  }

  /** Changes whenever another connection has committed; see https://sqlite.org/pragma.html#pragma_data_version. */
  #dataVersion(): number {
    try {
      return this.#db.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
    } catch {
      return this.#version;
    }
  }

  #touch(topic: Topic): void {
    clearTimeout(this.#late.get(topic));
    this.#late.delete(topic);
    const now = new Date();
    try {
      utimesSync(this.#path(topic), now, now);
    } catch {
      quietly(() => writeFileSync(this.#path(topic), ''));
    }
    this.#touched.set(topic, performance.now());
  }

  #path(topic: Topic): string {
    return join(wakeFolder(this.#db.file), `${topic}.${this.#instance}`);
  }

  #prepareFolder(): void {
    const folder = wakeFolder(this.#db.file);
    quietly(() => {
      mkdirSync(folder);
      // Not with `mkdirSync`, which the umask limits: a group that shares the file leaves its hints here as well.
      chmodSync(folder, folderMode(statSync(this.#db.file).mode));
    });
    quietly(() => {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (Date.now() - statSync(path).mtimeMs > STALE_MS) rmSync(path);
      }
    });
  }
}

/** Open to those who may read the database: 0700 where that is 0600. */
function folderMode(fileMode: number): number {
  return (fileMode & 0o777) | ((fileMode & 0o444) >> 2);
}

/** Hints may get lost: what goes wrong in the folder must not disturb the store. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Polling is enough.
  }
}
