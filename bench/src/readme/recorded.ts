import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Documents of `bench/results`, by the name after the day: of each the newest. */
export class Recorded {
  readonly #folder: string;
  readonly #files: readonly string[];

  constructor(folder: string) {
    this.#folder = folder;
    this.#files = readdirSync(folder).sort();
  }

  /** Null where none is recorded. */
  newest(name: string): string | null {
    return this.#files.findLast((file) => /^\d{4}-\d\d-\d\d-(.+)\.json$/.exec(file)?.[1] === name) ?? null;
  }

  /** The caller says what the command's document looks like. Throws where none is recorded. */
  document<Figures>(name: string): Figures {
    const file = this.newest(name);
    if (file === null) throw new Error(`There is no recorded ${name} in ${this.#folder}.`);
    return JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as Figures;
  }
}
