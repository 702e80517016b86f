import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A JSON file that is written again and again and is whole at any moment: what is new goes to a file beside it, which
 * then takes its place. A process that is killed leaves the version before, and so does a machine that loses power.
 */
export class ResultFile {
  readonly path: string;

  /** `<name>_<time>.json` in the folder, which is made where it is missing. */
  constructor(folder: string, name: string, at: Date) {
    mkdirSync(folder, { recursive: true });
    this.path = freePath(folder, `${name}_${compact(at)}`);
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

/** As in `20260131T154500Z`: sorted by name is sorted by time, and no platform forbids a character of it. */
function compact(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** Two runs may start in the same second; neither takes the other's file. */
function freePath(folder: string, name: string): string {
  for (let n = 1; ; n += 1) {
    const path = join(folder, n === 1 ? `${name}.json` : `${name}-${n}.json`);
    if (!existsSync(path)) return path;
  }
}
