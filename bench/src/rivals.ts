import { existsSync, readFileSync } from 'node:fs';
import { loadNeighbour, neighbour } from './neighbours.ts';
import type { Progress } from './progress.ts';

/**
 * Other job systems, measured by programs of the private package bench/rivals, each through its public interface alone. They
 * are no dependencies of Longshore: their packages are installed at first use, into that folder.
 */
export const RIVALS = {
  postgres: ['graphile-worker', 'pg-boss'],
  redis: ['bullmq'],
} as const;

/** The program of a rival; it takes the settings of bench/rivals/measure.mjs. */
export function rivalFile(rival: string): string {
  return neighbour(`bench/rivals/${rival}.mjs`);
}

/** What the lock file of bench/rivals says, as far as it is installed. Unlike a stamp, it cannot be older than the truth. */
export async function installRivals(progress: Progress): Promise<void> {
  const folder = neighbour('bench/rivals');
  const { npm } = await loadNeighbour<Npm>('setup/npm.mjs', INSTEAD);
  const { withLock } = await loadNeighbour<Lock>('setup/lock.mjs', INSTEAD);
  await withLock(folder, async () => {
    if (isInstalled(folder)) return;
    progress.note('installing the other job systems into bench/rivals/node_modules …');
    await npm(['ci'], folder);
  });
}

interface Npm {
  npm(args: readonly string[], cwd: string): Promise<void>;
}

interface Lock {
  withLock<T>(folder: string, work: () => Promise<T>): Promise<T>;
}

const INSTEAD = 'Other systems are measured from a clone of the repository.';

/** npm writes down what it installed; packages for other platforms are in the lock file alone. */
function isInstalled(folder: string): boolean {
  const installed = `${folder}/node_modules/.package-lock.json`;
  if (!existsSync(installed)) return false;
  const wanted = packagesOf(`${folder}/package-lock.json`);
  const found = packagesOf(installed);
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional === true || found[path]?.version === version,
  );
}

type Packages = Record<string, { readonly version?: string; readonly optional?: boolean }>;

function packagesOf(lockFile: string): Packages {
  return (JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Packages }).packages;
}
