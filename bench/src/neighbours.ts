import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * What lies beside the sources in a checkout and is in no published package: the start of servers (setup/services), npm
 * (setup/npm.mjs), and the private package with other job systems (bench/). Found by place and loaded on use, so that
 * a build knows nothing of them.
 */
export function neighbour(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** Throws where this is no checkout; `instead` says what can be done then. */
export async function loadNeighbour<Module>(path: string, instead: string): Promise<Module> {
  if (!existsSync(neighbour(path)))
    throw new Error(`There is no ${path} beside these sources, so this needs a checkout. ${instead}`);
  return (await import(new URL(`../../${path}`, import.meta.url).href)) as Module;
}
