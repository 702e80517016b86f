/**
 * One set-up at a time in a checkout.
 *
 * The lock is a folder with one file in it, named after the owner's process id. It appears whole, by a rename that
 * fails while another owner's file is inside. A lock whose process is gone is broken by deleting that one named file:
 * only one waiter can succeed, and none can hurt a newer owner.
 */
import { mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * @template T
 * @param {string} root
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, work) {
  const lock = join(root, '.setup-lock');
  let told = false;
  while (!tryLock(lock)) {
    const owner = breakIfStale(lock);
    if (owner === undefined) continue;
    if (!told) process.stderr.write(`set-up: waiting for the one that runs already (process ${owner})\n`);
    told = true;
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    release(lock, process.pid);
  }
}

/** @returns {boolean} whether this process holds the lock now */
export function tryLock(lock, pid = process.pid) {
  const draft = mkdtempSync(`${lock}-`);
  try {
    writeFileSync(join(draft, String(pid)), '');
    renameSync(draft, lock);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // What a rename onto a folder that is not empty is called differs by system.
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(error.code)) return false;
    throw error;
  }
}

/** @returns {number | undefined} the living owner; undefined where the lock was free or has just been broken */
export function breakIfStale(lock) {
  const pid = ownerOf(lock);
  if (pid !== undefined && isAlive(pid)) return pid;
  release(lock, pid);
  return undefined;
}

/** Removes the lock of that one owner, and no other. */
export function release(lock, pid) {
  const steps = [
    ...(pid === undefined ? [] : [() => unlinkSync(join(lock, String(pid)))]),
    () => rmdirSync(lock),
  ];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error;
    }
  }
}

function ownerOf(lock) {
  try {
    const [name] = readdirSync(lock);
    return name === undefined ? undefined : Number(name);
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
