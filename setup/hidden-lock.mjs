/**
 * Recognises packages that somebody installed with npm itself, so that they are not installed again: the usual
 * `npm install` after a clone, or an image without a network that was built with `npm ci`.
 * npm writes node_modules/.package-lock.json when an installation is complete.
 */
import { readFileSync } from 'node:fs';

/**
 * @param {string} root
 * @param {string} lock the text of package-lock.json
 */
export function npmInstalled(root, lock) {
  try {
    const present = packagesOf(readFileSync(`${root}/node_modules/.package-lock.json`, 'utf8'));
    return Object.entries(packagesOf(lock)).every(([path, wanted]) => isThere(path, wanted, present[path]));
  } catch {
    // Missing or damaged, either of the two: `npm ci` repairs it, or explains it better.
    return false;
  }
}

/** @returns {Record<string, object>} by folder; '' is the project itself */
function packagesOf(text) {
  return JSON.parse(text).packages;
}

/** An optional package may be missing: it is for another system. */
function isThere(path, wanted, found) {
  if (path === '') return true;
  if (found === undefined) return wanted.optional === true;
  return found.version === wanted.version && found.integrity === wanted.integrity;
}
