/** Which Node runs this project: the machine's own where it is new enough, else one inside node_modules. */
import { existsSync } from 'node:fs';

/** The first release that runs TypeScript files as they are, without a flag. The same as `engines` in package.json. */
export const NODE_MINIMUM = '22.18.0';

/** What set-up installs where the machine's own Node is older. */
export const NODE_INSTALLED_MAJOR = 24;

/**
 * @param {string} root
 * @returns {string | undefined} the binary; undefined where it has to be installed first
 */
export function chooseNode(root, version = process.version) {
  if (isNewEnough(version)) return process.execPath;
  const binary = installedNode(root);
  return existsSync(binary) ? binary : undefined;
}

/** Where set-up puts its Node. @param {string} root */
export function installedNode(root) {
  return `${root}/node_modules/.runtime/bin/${process.platform === 'win32' ? 'node.exe' : 'node'}`;
}

/** @param {string} version such as `v20.11.1` or `22.18.0` */
export function isNewEnough(version, minimum = NODE_MINIMUM) {
  const [have, want] = [parts(version), parts(minimum)];
  for (let index = 0; index < 3; index++) {
    if (have[index] !== want[index]) return have[index] > want[index];
  }
  // A pre-release (22.18.0-nightly) counts as older than the release it leads to.
  return !version.includes('-');
}

function parts(version) {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (match === null) throw new Error(`not a Node version: ${JSON.stringify(version)}`);
  return match.slice(1).map(Number);
}
