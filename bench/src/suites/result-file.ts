import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A JSON file that is written again and again and is whole at any moment: what is new goes to a file beside it, which
 * then takes its place. A process that is killed leaves the version before, and so does a machine that loses power.
 */
export class ResultFile {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** `<name>_<YYYYMMDD_HHMMSS>.json` (UTC) in the folder, which is made where it is missing. */
  static fresh(folder: string, name: string, at: Date): ResultFile {
    mkdirSync(folder, { recursive: true });
    return new ResultFile(freePath(folder, `${name}_${compact(at)}`));
  }

  /** A file that is written over. Its folder must exist. */
  static at(path: string): ResultFile {
    return new ResultFile(path);
  }

  write(document: unknown): void {
    const next = `${this.path}.next`;
    const file = openSync(next, 'w');
    try {
      writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.path);
  }
}

/** As in `20260131_154500`: sorted by name is sorted by time, and no platform forbids a character of it. */
function compact(at: Date): string {
  return at
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, '')
    .replace('T', '_');
}

/** Two runs may start in the same second; neither takes the other's file. */
function freePath(folder: string, name: string): string {
  for (let n = 1; ; n += 1) {
    const path = join(folder, n === 1 ? `${name}.json` : `${name}-${n}.json`);
    if (!existsSync(path)) return path;
  }
}
