/** Brings a checkout to the point where its commands run, and costs next to nothing when it is there already. */
import { chooseNode } from './node-choice.mjs';
import { packagesAreCurrent } from './stamp.mjs';

/**
 * @param {string} root
 * @returns {Promise<string>} the Node binary that runs the commands
 */
export async function makeReady(root) {
  const ready = readyNode(root);
  if (ready !== undefined) return ready;
  // Loaded only now: every later start would pay for it.
  const [{ withLock }, { install }] = await Promise.all([import('./lock.mjs'), import('./install.mjs')]);
  // Looked at again inside the lock: a run that waited for another one finds the work done.
  return withLock(root, async () => readyNode(root) ?? install(root));
}

function readyNode(root) {
  return packagesAreCurrent(root) ? chooseNode(root) : undefined;
}
