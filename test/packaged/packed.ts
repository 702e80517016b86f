/**
 * The package as a user gets it: built and packed from a copy of this checkout, installed into an empty project. The
 * copy keeps this apart from a `dist` that somebody else is building. Made once a test file.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readyPackages } from '../../setup/own-packages.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const NOT_COPIED = /^(\.|dist|node_modules$|shared$|dashboard$|test$|examples$|docs$|deploy$)/;
/** Of the measuring kit: what its results show, as data. */
const PAGE_TAKES = /^bench\/(package\.json|src(\/(report(\/.*)?|kit(\/ratio\.ts)?))?)$/;

export interface Packed {
  /** All of this lies in it. */
  readonly folder: string;
  /** The copy of the checkout. */
  readonly copy: string;
  /** The project that has the package installed, and the drivers of this checkout. */
  readonly consumer: string;
  readonly tarball: string;
  /** Paths inside the tarball. */
  readonly files: readonly string[];
  readonly unpackedBytes: number;
}

let packing: Promise<Packed> | null = null;

export function packedProject(): Promise<Packed> {
  packing ??= pack();
  return packing;
}

export async function removePacked(): Promise<void> {
  const { folder } = await packedProject();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function pack(): Promise<Packed> {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-package-'));
  const [copy, consumer] = [join(folder, 'copy'), join(folder, 'consumer')];
  copyCheckout(copy);
  await run('npm', ['run', '--silent', 'build'], copy);
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--loglevel=error'], copy);
  const [{ filename, files, unpackedSize }] = JSON.parse(stdout);
  const tarball = join(copy, filename);
  await install(tarball, consumer);
  const paths = files.map(({ path }: { path: string }) => path);
  return { folder, copy, consumer, tarball, files: paths, unpackedBytes: unpackedSize };
}

function copyCheckout(copy: string): void {
  cpSync(ROOT, copy, {
    recursive: true,
    filter: (source) => {
      const path = relative(ROOT, source).split(sep).join('/');
      if (path.startsWith('bench/')) return PAGE_TAKES.test(path);
      return path.includes('/') || !NOT_COPIED.test(basename(source));
    },
  });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
}

/** The packages that are needed are in npm's cache already, from installing this checkout. */
async function install(tarball: string, consumer: string): Promise<void> {
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }');
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...quiet, tarball], consumer);
  for (const driver of Object.keys(MANIFEST.peerDependencies)) {
    const place = join(consumer, 'node_modules', driver);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', driver), place, 'junction');
  }
}

/** Rejects with everything the command printed, since that is what says why it failed. */
export async function run(
  file: string,
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string; stderr: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  try {
    return await promisify(execFile)(file, args, { cwd, env: { ...env, ...more } });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(' ')} failed\n${stdout}${stderr}`);
  }
}

const TOOLS = join(ROOT, 'test', 'packaged');

/** A file of the tools' packages (package.json beside this). */
export function toolFile(path: string): string {
  return join(TOOLS, 'node_modules', path);
}

let missing: Promise<string | null> | null = null;

/** Why the tools cannot be had, and the test is skipped; null when they are there. In continuous integration they must be. */
export function toolsMissing(): Promise<string | null> {
  missing ??= readyPackages(TOOLS).then(
    () => null,
    (error: Error) => {
      if (process.env.CI) throw error;
      return `the packages of test/packaged cannot be installed: ${error.message.split('\n').at(-1)}`;
    },
  );
  return missing;
}

/** Copies a folder of this one into the project, where it finds the package. */
export function putIntoProject({ consumer }: Packed, name: string): string {
  const place = join(consumer, name);
  cpSync(join(TOOLS, name), place, { recursive: true });
  return place;
}
