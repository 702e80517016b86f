/**
 * Packages of a folder of its own, so that the project itself stays small: libraries that examples show, tools that
 * users put the package through. Installed when they are first needed; afterwards it costs a look at files.
 */
import { relative } from 'node:path';
import { withLock } from './lock.mjs';
import { npm } from './npm.mjs';
import { lockFile, packagesAreCurrent, writeStamp } from './stamp.mjs';

/** @param {string} folder with a package-lock.json */
export async function readyPackages(folder) {
  if (!packagesAreCurrent(folder)) await withLock(folder, () => installPackages(folder));
}

/** The caller holds the folder's lock. @param {string} folder */
export async function installPackages(folder) {
  if (packagesAreCurrent(folder)) return;
  process.stderr.write(`set-up: installing the packages of ${relative(process.cwd(), folder)}\n`);
  const lock = lockFile(folder);
  await npm(['ci', '--ignore-scripts', '--engine-strict=false'], folder);
  writeStamp(folder, lock);
}
