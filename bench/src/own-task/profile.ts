import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LongshoreError } from '../longshore.ts';
import { type HotFunction, hotFunctions } from './hot-functions.ts';
import { CPU, HEAP, HEAP_MARK, PART } from './profiler.ts';

/** The files that `--profile` left in its folder, and the hottest functions. */
export interface ProfileReport {
  readonly folder: string;
  /** Names of files: one CPU profile for each thread that ran jobs, and one heap snapshot. */
  readonly files: readonly string[];
  /** By their own time, callees aside. */
  readonly hottest: readonly HotFunction[];
}

/** Makes the folder, where need be. Throws OPTION_INVALID when it holds something else. */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    const foreign = readdirSync(folder).find((name) => !isOurs(name));
    if (foreign !== undefined)
      throw new Error(`it holds ${foreign}, which is no profile; expected an empty folder, or a new one`);
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
  } catch (error) {
    throw new LongshoreError('OPTION_INVALID', `--profile ${folder}: ${(error as Error).message}`, {
      cause: error,
      details: { field: '--profile', value: folder },
    });
  }
}

function isOurs(name: string): boolean {
  return [CPU, HEAP, PART].some((ending) => name.endsWith(ending)) || name === HEAP_MARK;
}

/** Whether every thread that began a profile has written it, and the heap snapshot is there. */
export function isWritten(folder: string): boolean {
  const names = readdirSync(folder);
  return names.some((name) => name.endsWith(CPU)) && !names.some((name) => name.endsWith(PART));
}

export function readProfiles(folder: string): ProfileReport {
  rmSync(join(folder, HEAP_MARK), { force: true });
  const files = readdirSync(folder).filter(isOurs).sort();
  const profiles = files
    .filter((name) => name.endsWith(CPU))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profiler.Profile);
  return { folder, files, hottest: hotFunctions(profiles, HOTTEST, placeOf) };
}

const HOTTEST = 10;

/** Relative to the current folder where that is shorter; modules of Node as they are named. */
function placeOf(url: string, line: number): string {
  if (!url.startsWith('file:')) return `${url}:${line}`;
  const path = fileURLToPath(url.replace(/[?#].*$/, ''));
  const short = relative(process.cwd(), path);
  return `${short.length < path.length ? short : path}:${line}`;
}
