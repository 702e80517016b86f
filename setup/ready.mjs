/** Brings a checkout to the point where its commands run, and does nothing at all when it is there already. */
import { withLock } from './lock.mjs';
import { isNewEnough, NODE_INSTALLED_MAJOR, NODE_MINIMUM } from './node-version.mjs';
import { installPackages, packagesAreCurrent } from './packages.mjs';
import { installRuntime, runtimeBinary } from './runtime.mjs';

/**
 * @param {string} root
 * @returns {Promise<string>} the Node binary that runs the commands
 */
export async function makeReady(root) {
  const ready = nodeOf(root);
  if (ready !== undefined) return ready;
  // Looked at again inside the lock: a run that waited for another one finds the work done.
  return withLock(root, async () => nodeOf(root) ?? install(root));
}

/** @returns {string | undefined} undefined where something has to be installed first */
function nodeOf(root) {
  if (!packagesAreCurrent(root)) return undefined;
  return isNewEnough(process.version) ? process.execPath : runtimeBinary(root);
}

async function install(root) {
  const wantsPackages = !packagesAreCurrent(root);
  const wantsRuntime = !isNewEnough(process.version);
  process.stderr.write(`${announcement(wantsPackages, wantsRuntime)}\n`);
  // In this order: `npm ci` empties node_modules, and with it an installed Node.
  if (wantsPackages) await installPackages(root);
  return wantsRuntime ? installRuntime(root) : process.execPath;
}

function announcement(packages, runtime) {
  const what = [
    ...(packages ? ['the packages of package-lock.json'] : []),
    ...(runtime
      ? [`Node ${NODE_INSTALLED_MAJOR} (this one is ${process.version}, ${NODE_MINIMUM} or newer is needed)`]
      : []),
  ];
  return `set-up: installing ${what.join(' and ')} into node_modules`;
}
