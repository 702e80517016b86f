/** Turns `npm test -- [flags] [paths]` into arguments for Node's test runner. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';

/** The crash tests are the slowest; a test that needs longer than this hangs. */
const TEST_TIMEOUT_MS = 120_000;

/**
 * Files are listed here and not by the runner's own glob, because the runner calls a run without files a success.
 * @param {string[]} args flags of `node --test`, test files and folders; no path means all tests
 * @param {string} root
 */
export function testArguments(args, root) {
  const { flags } = split(args, root);
  return [
    `--import=${new URL('./test-guard.mjs', import.meta.url).href}`,
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...flags,
    ...testFiles(args, root),
  ];
}

/**
 * The files such a run consists of, from the root.
 * @param {string[]} args
 * @param {string} root
 */
export function testFiles(args, root) {
  const { paths } = split(args, root);
  const files = (paths.length === 0 ? ['test'] : paths).flatMap((path) => filesIn(resolve(root, path)));
  if (files.length === 0) throw new Error(`npm test: no *.test.ts file in ${paths.join(', ') || 'test'}`);
  return [...new Set(files)].sort().map((file) => relative(root, file));
}

/** A word that follows a flag without `=` is that flag's value, unless it names something that exists. */
function split(args, root) {
  const flags = [];
  const paths = [];
  for (const [index, arg] of args.entries()) {
    const previous = args[index - 1] ?? '';
    if (arg.startsWith('-')) flags.push(arg);
    else if (existsSync(resolve(root, arg))) paths.push(arg);
    else if (previous.startsWith('--') && !previous.includes('=')) flags.push(arg);
    else throw new Error(`npm test: there is no ${arg}`);
  }
  return { flags, paths };
}

/** @param {string} path */
function filesIn(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.split(sep).includes('node_modules'))
    .map((name) => join(path, name));
}
