/**
 * Where Jaeger is: on this machine, or built with Go into node_modules/.cache, which takes some minutes and 85 MB. Only whoever asks
 * for it builds it (`npm run services -- --jaeger`); tests use what is there.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withLock } from '../lock.mjs';
import { onPath } from './on-path.mjs';

const run = promisify(execFile);

const MODULE = 'github.com/jaegertracing/jaeger/cmd/jaeger';
const VERSION = 'v1.76.0';
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/services/jaeger', import.meta.url));

/** What a test says that is skipped for want of it. */
export const JAEGER_MISSING =
  'Jaeger is not on the PATH. `npm run services -- --jaeger` builds it once with Go, which takes some minutes; or put the program jaeger (2.x) on the PATH.';

/** @returns {string | undefined} */
export function jaegerProgram() {
  const built = join(CACHE, 'jaeger');
  return onPath('jaeger') ?? (existsSync(built) ? built : undefined);
}

/** @returns {Promise<string>} throws where there is no Go, or it does not build */
export async function builtJaeger() {
  const there = jaegerProgram();
  if (there !== undefined) return there;
  if (onPath('go') === undefined) throw new Error('Jaeger is built with Go, which is not on the PATH.');
  mkdirSync(dirname(CACHE), { recursive: true });
  return withLock(dirname(CACHE), async () => jaegerProgram() ?? (await build()));
}

/** In a module of its own: `go install` refuses a module that replaces others. */
async function build() {
  process.stderr.write('set-up: building Jaeger with Go into node_modules/.cache; this takes some minutes\n');
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(join(CACHE, 'go.mod'), 'module jaeger-for-tests\n\ngo 1.25\n');
  const go = (...args) =>
    run('go', args, { cwd: CACHE, env: { ...process.env, CGO_ENABLED: '0' }, maxBuffer: 2 ** 26 });
  await go('get', '-tool', `${MODULE}@${VERSION}`);
  await go('build', '-trimpath', '-ldflags', '-s -w', '-o', 'jaeger.part', MODULE);
  renameSync(join(CACHE, 'jaeger.part'), join(CACHE, 'jaeger'));
  return join(CACHE, 'jaeger');
}
