import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Documents of `bench/results`, by the name after the day: of each the newest. */
export class Recorded {
  readonly #folder: string;
  readonly #files: readonly string[];
  readonly #read = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#files = readdirSync(folder).sort();
  }

  /** Null where none is recorded. */
  newest(name: string): string | null {
    return this.#files.findLast((file) => /^\d{4}-\d\d-\d\d-(.+)\.json$/.exec(file)?.[1] === name) ?? null;
  }

  /** Links to what `make` reads, below what it makes: each figure leads to the result it comes from. */
  withSources(make: () => string): string {
    this.#read.clear();
    const text = make();
    const links = [...this.#read].sort().map((name) => `[${name}](bench/results/${this.newest(name)})`);
    return `${text}\n\n<sub>Recorded: ${links.join(', ')}.</sub>`;
  }

  /** The caller says what the command's document looks like. Throws where none is recorded. */
  document<Figures>(name: string): Figures {
    const file = this.newest(name);
    if (file === null) throw new Error(`There is no recorded ${name} in ${this.#folder}.`);
    this.#read.add(name);
    return JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as Figures;
  }
}
