/**
 * Whether node_modules holds what package-lock.json says. The stamp is a copy of the lock file that was installed,
 * written last. `npm ci` empties node_modules first, so a run that was cut short leaves no stamp and is repeated.
 * A copy and not a hash: comparing 40 kB is faster than loading the crypto module at every start.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** @param {string} root */
export function packagesAreCurrent(root) {
  let stamp;
  try {
    stamp = readFileSync(stampFile(root), 'utf8');
  } catch {
    return false;
  }
  return stamp === lockFile(root);
}

/** @param {string} root @param {string} lock the lock file as it was when the installation began */
export function writeStamp(root, lock) {
  writeFileSync(stampFile(root), lock);
}

/** @param {string} root */
export function lockFile(root) {
  return readFileSync(`${root}/package-lock.json`, 'utf8');
}

/** Some packages are binaries for one platform, so a folder that two systems share is current for one of them only. */
function stampFile(root) {
  return `${root}/node_modules/.setup-stamp-${process.platform}-${process.arch}`;
}
