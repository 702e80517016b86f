/** Installs what is missing and says so in one line. The caller holds the set-up lock. */
import { npmInstalled } from './hidden-lock.mjs';
import { chooseNode, isNewEnough, NODE_INSTALLED_MAJOR, NODE_MINIMUM } from './node-choice.mjs';
import { npm } from './npm.mjs';
import { installRuntime } from './runtime.mjs';
import { lockFile, packagesAreCurrent, writeStamp } from './stamp.mjs';

/**
 * @param {string} root
 * @returns {Promise<string>} the Node binary that runs the commands
 */
export async function install(root) {
  const packages = !packagesAreCurrent(root) && !adoptPackages(root);
  const runtime = !isNewEnough(process.version) && (packages || chooseNode(root) === undefined);
  if (!packages && !runtime) return chooseNode(root);
  process.stderr.write(`${announcement(packages, runtime)}\n`);
  // In this order: `npm ci` empties node_modules, and with it an installed Node.
  if (packages) await installPackages(root);
  return runtime ? installRuntime(root) : chooseNode(root);
}

/** @returns {boolean} whether npm has installed the right packages already; then they need only the stamp */
function adoptPackages(root) {
  const lock = lockFile(root);
  if (!npmInstalled(root, lock)) return false;
  writeStamp(root, lock);
  return true;
}

async function installPackages(root) {
  const lock = lockFile(root);
  // Development packages always: a production setting in the environment must not take away the compiler.
  // No install scripts: none of the packages needs one.
  await npm(['ci', '--include=dev', '--ignore-scripts', '--engine-strict=false'], root);
  writeStamp(root, lock);
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
