import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NotAResult, type Result, resultOf } from './result.ts';

/** A result of two hours of scenarios takes 2 MB. */
export const RESULT_BYTES_MAX = 64 * 2 ** 20;

/** Files, and of folders the `.json` files in them. Throws NotAResult for what cannot be read or is no result. */
export function readResults(paths: readonly string[]): Result[] {
  const files = paths.flatMap(filesOf);
  if (files.length === 0) throw new NotAResult(`${paths.join(', ')} holds no file that ends with .json`);
  return files.map(readResult);
}

/** Throws NotAResult. */
export function readResult(path: string): Result {
  const { size } = statOf(path);
  if (size > RESULT_BYTES_MAX)
    throw new NotAResult(
      `${path} has ${megabytes(size)}, and a result has at most ${megabytes(RESULT_BYTES_MAX)}; is it another file?`,
    );
  return resultOf(basename(path), readFileSync(path, 'utf8'), path);
}

function filesOf(path: string): string[] {
  if (!statOf(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NotAResult(`${path} cannot be read: ${reason}`);
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
