import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A folder for the files of one measurement, removed when it ends, however it ends. */
export class Workspace {
  readonly folder: string;
  #files = 0;

  /** Throws where `parent` (default: the system's temporary folder) cannot be written. */
  constructor(parent: string | undefined) {
    this.folder = mkdtempSync(join(resolve(parent ?? tmpdir()), 'longshore-bench-'));
  }

  /** A path for a fresh database. */
  freshFile(): string {
    this.#files += 1;
    return join(this.folder, `${this.#files}.db`);
  }

  /** Removes a database with all that lies beside it. */
  drop(file: string): void {
    for (const suffix of ['', '-wal', '-shm', '-wake'])
      rmSync(file + suffix, { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
