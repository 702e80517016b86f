/** Who runs a server that refuses to run as root, and where that user can write. */
import { chownSync, mkdtempSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** @typedef {{ uid: number, gid: number }} User */

/** Users that exist on most systems and own nothing of value. */
const NAMES = ['postgres', 'nobody'];

/** @returns {User | undefined} undefined where the current user will do */
export function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of NAMES) {
    const [, , uid, gid] = lines.find(([each]) => each === name) ?? [];
    if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`The tests run as root, PostgreSQL does not, and there is no user ${NAMES.join(' or ')}.`);
}

/** What a run of all tests writes is a tenth of it. */
const MEMORY_FREE_BYTES_MIN = 2 ** 31;

/**
 * A new folder of that user, with every folder above it open to the user.
 * @param {string} prefix
 * @param {User | undefined} user
 * @param {{ inMemory?: boolean }} [options] `inMemory`: without a disk, where the system has such a place
 */
export function temporaryFolder(prefix, user, { inMemory = false } = {}) {
  const memory = inMemory && isRoomy('/dev/shm') ? ['/dev/shm'] : [];
  const place = [...memory, tmpdir(), '/tmp', '/var/tmp'].find((each) => user === undefined || isOpen(each));
  if (place === undefined) throw new Error(`No temporary folder is open to the user with id ${user?.uid}.`);
  const folder = mkdtempSync(join(place, prefix));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

/** In containers it often has 64 MB. */
function isRoomy(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= MEMORY_FREE_BYTES_MIN;
  } catch {
    return false;
  }
}

/**
 * Whether everybody may pass through a folder and all above it.
 * @param {string} folder
 */
export function isOpen(folder) {
  for (let each = folder; ; each = dirname(each)) {
    const found = statSync(each, { throwIfNoEntry: false });
    if (found === undefined || (found.mode & 0o001) === 0) return false;
    if (each === dirname(each)) return true;
  }
}
