/** Calls npm quietly; what it printed is shown only when it failed. */
import { basename } from 'node:path';
import { runChild } from './child.mjs';

/**
 * @param {string[]} args
 * @param {string} cwd
 */
export async function npm(args, cwd) {
  const [file, ...before] = npmCommand();
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const end = await runChild(file, [...before, ...args, ...quiet], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm is a .cmd file on Windows, which only a shell can start.
    shell: before.length === 0 && process.platform === 'win32',
  }).catch((error) => ({ code: 1, signal: null, output: `npm could not be started: ${error.message}\n` }));
  if (end.signal !== null) throw new Error(`set-up: npm was ended by ${end.signal}`);
  if (end.code === 0) return;
  throw new Error(
    `${end.output.trimEnd()}\n` +
      `set-up: \`npm ${args.join(' ')}\` failed in ${cwd}. ` +
      'Check the network and the npm configuration (`npm config list`), then run the command again.',
  );
}

/** The npm that started this process where there is one, so that both use the same version and configuration. */
function npmCommand() {
  const current = process.env.npm_execpath ?? '';
  return basename(current) === 'npm-cli.js' ? [process.execPath, current] : ['npm'];
}
