import { join } from 'node:path';
import { TALK_CHARS_MAX, TALK_LINES, type TalkLine } from '../talk.ts';
import { readFileSync, renameSync, rmSync, writeFileSync } from './files.ts';
import { wakeFolder } from './wake.ts';

/**
 * How texts travel between processes (store/talk.ts): as files in the folder that they watch for hints, named
 * `<line>.<instance>.<number>`. Whoever said it takes the file away again after a while. It is renamed to its name, so that
 * nobody reads half of it.
 */
const KEPT_MS = 2_000;

export class TalkFiles {
  readonly #folder: string;
  readonly #instance: string;
  readonly #there = new Map<string, NodeJS.Timeout>();
  #last = 0;

  constructor(file: string, instance: string) {
    this.#folder = wakeFolder(file);
    this.#instance = instance;
  }

  say(line: TalkLine, text: string): void {
    if (text.length > TALK_CHARS_MAX) return;
    const name = `${line}.${this.#instance}.${++this.#last}`;
    const unnamed = join(this.#folder, `~${name}`);
    try {
      writeFileSync(unnamed, text);
      renameSync(unnamed, join(this.#folder, name));
      this.#there.set(name, setTimeout(() => this.#remove(name), KEPT_MS).unref());
    } catch {
      // As with hints, what goes wrong in the folder must not disturb the store.
    }
  }

  /** Of a file that appeared in the folder; null where it is no text, one's own, or gone. */
  read(name: string): { readonly line: TalkLine; readonly text: string } | null {
    const [start, instance, number] = name.split('.');
    const line = TALK_LINES.find((one) => one === start);
    if (line === undefined || number === undefined || instance === this.#instance) return null;
    try {
      return { line, text: readFileSync(join(this.#folder, name), 'utf8') };
    } catch {
      return null;
    }
  }

  close(): void {
    for (const [name, timer] of this.#there) {
      clearTimeout(timer);
      this.#remove(name);
    }
  }

  #remove(name: string): void {
    this.#there.delete(name);
    try {
      rmSync(join(this.#folder, name));
    } catch {
      // It is gone already.
    }
  }
}
