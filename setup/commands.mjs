/** What each npm script runs, as arguments for Node. */

/** Type stripping and node:sqlite still announce themselves as experimental; nobody needs to read that at every start. */
const FLAGS = ['--disable-warning=ExperimentalWarning'];

/**
 * Programs that a user points at files keep the caller's folder; tools that work on the repository run in its root.
 * @typedef {{ args: string[], cwd?: string }} Command
 * @type {Record<string, (args: string[], root: string) => Command | Promise<Command>>}
 */
const COMMANDS = {
  start: (args, root) => ({ args: [`${root}/examples/folder-report/main.ts`, ...args] }),
  longshore: (args, root) => ({ args: [`${root}/src/cli/main.ts`, ...args] }),
  bench: (args, root) => ({ args: [`${root}/src/bench/main.ts`, ...args] }),
  test: async (args, root) => {
    const { testArguments } = await import('./test-arguments.mjs');
    return { args: testArguments(args, root), cwd: root };
  },
  check: (args, root) => ({ args: [`${root}/setup/check.mjs`, ...args], cwd: root }),
  build: (args, root) => ({ args: [`${root}/setup/build.mjs`, ...args], cwd: root }),
  format: (args, root) => ({ args: [`${root}/setup/format.mjs`, ...args], cwd: root }),
};

/**
 * @param {string | undefined} name
 * @param {string[]} args
 * @param {string} root
 * @returns {Promise<{ args: string[], cwd: string }>}
 */
export async function commandFor(name, args, root) {
  const make = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (make === undefined) {
    throw new Error(
      `setup/run.mjs: unknown command ${JSON.stringify(name)}; use ${Object.keys(COMMANDS).join(', ')}`,
    );
  }
  const command = await make(args, root);
  return { args: [...FLAGS, ...command.args], cwd: command.cwd ?? process.cwd() };
}
