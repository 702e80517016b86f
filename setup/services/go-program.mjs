/**
 * Programs that are on the PATH, or were built once with Go into node_modules/.cache. A build takes minutes, so tests only look;
 * who asks for the server by name, and continuous integration, builds it.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from '../lock.mjs';
import { onPath } from './on-path.mjs';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/services', import.meta.url));

/**
 * @param {object} options
 * @param {string} options.name of the server, for messages
 * @param {string} options.program its file's name
 * @param {(folder: string) => Promise<void>} options.build puts the program into this folder, which exists, in one step
 * @returns {{ find: () => string | undefined, built: () => Promise<string> }} `built` rejects where there is no Go, or it
 *   does not build
 */
export function goProgram({ name, program, build }) {
  const folder = join(CACHE, program);
  const file = join(folder, program);
  const find = () => onPath(program) ?? (existsSync(file) ? file : undefined);
  const make = async () => {
    process.stderr.write(
      `set-up: building ${name} with Go into node_modules/.cache; this takes some minutes\n`,
    );
    mkdirSync(folder, { recursive: true });
    await build(folder);
    return file;
  };
  const built = async () => {
    const there = find();
    if (there !== undefined) return there;
    if (onPath('go') === undefined) throw new Error(`${name} is built with Go, which is not on the PATH.`);
    mkdirSync(dirname(folder), { recursive: true });
    return withLock(dirname(folder), async () => find() ?? (await make()));
  };
  return { find, built };
}
