/** What each npm script runs, as arguments for Node. */
import { join } from 'node:path';
import { testArguments } from './test-arguments.mjs';

/** Type stripping and node:sqlite still announce themselves as experimental; nobody needs to read that at every start. */
const FLAGS = ['--disable-warning=ExperimentalWarning'];

/**
 * Programs that a user points at files keep the caller's folder; tools that work on the repository run in its root.
 * @type {Record<string, (args: string[], root: string) => { args: string[], cwd?: string }>}
 */
const COMMANDS = {
  start: (args, root) => ({ args: [join(root, 'examples/folder-report/main.ts'), ...args] }),
  longshore: (args, root) => ({ args: [join(root, 'src/cli/main.ts'), ...args] }),
  bench: (args, root) => ({ args: [join(root, 'src/bench/main.ts'), ...args] }),
  test: (args, root) => ({ args: testArguments(args, root), cwd: root }),
  check: (args, root) => ({ args: [join(root, 'setup/check.mjs'), ...args], cwd: root }),
  build: (args, root) => ({ args: [join(root, 'setup/build.mjs'), ...args], cwd: root }),
  format: (args, root) => ({ args: [join(root, 'setup/format.mjs'), ...args], cwd: root }),
};

/**
 * @param {string | undefined} name
 * @param {string[]} args
 * @param {string} root
 * @returns {{ args: string[], cwd: string }}
 */
export function commandFor(name, args, root) {
  const make = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (make === undefined) {
    throw new Error(
      `setup/run.mjs: unknown command ${JSON.stringify(name)}; use ${Object.keys(COMMANDS).join(', ')}`,
    );
  }
  const command = make(args, root);
  return { args: [...FLAGS, ...command.args], cwd: command.cwd ?? process.cwd() };
}
