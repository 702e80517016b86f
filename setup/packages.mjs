/**
 * The packages of package-lock.json, installed by `npm ci` when they are missing or not those of the lock file.
 * A stamp inside node_modules says which lock file was installed; `npm ci` removes it first, so a run that was cut
 * short leaves no stamp and is repeated.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './npm.mjs';

/** @param {string} root */
export function packagesAreCurrent(root) {
  try {
    return readFileSync(stampFile(root), 'utf8') === stamp(root);
  } catch {
    return false;
  }
}

/** @param {string} root */
export async function installPackages(root) {
  const wanted = stamp(root);
  // Development packages always: a production setting in the environment must not take away the compiler.
  // No install scripts: none of the packages needs one.
  await npm(['ci', '--include=dev', '--ignore-scripts', '--engine-strict=false'], root);
  writeFileSync(stampFile(root), wanted);
}

function stampFile(root) {
  return join(root, 'node_modules', '.setup-stamp');
}

/** Some packages are binaries for one platform, so a folder shared between two systems is current for one of them only. */
function stamp(root) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}
