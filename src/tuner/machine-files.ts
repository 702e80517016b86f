import { join } from 'node:path';

/**
 * The files of /proc and /sys, below a root that tests replace. Read synchronously: the kernel makes them up in memory,
 * some hundred bytes each, in about 10 µs, which is less than handing the read to a thread and back.
 */
export class MachineFiles {
  readonly #root: string;

  constructor(root = '/') {
    this.#root = root;
  }

  /** Throws when it is not there. */
  text(path: string): string {
    // An import of node:fs takes 2.5 MB, of a worker that may never need this.
    return process.getBuiltinModule('node:fs').readFileSync(join(this.#root, path), 'utf8');
  }

  /** Null when it is not there. */
  textIfAny(path: string): string | null {
    try {
      return this.text(path);
    } catch {
      return null;
    }
  }

  /** Of a file that holds one number, or of the line `key number` in it. Throws when there is none. */
  number(path: string, key?: string): number {
    const text = this.text(path);
    const found =
      key === undefined ? /^\s*(\d+)/.exec(text) : new RegExp(`^${key}:?\\s+(\\d+)`, 'm').exec(text);
    if (found === null) throw new Error(`${path} holds no number${key === undefined ? '' : ` for ${key}`}`);
    return Number(found[1]);
  }
}
