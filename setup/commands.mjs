/** What each npm script runs, as arguments for Node. */

/** Type stripping and node:sqlite still announce themselves as experimental; nobody needs to read that at every start. */
const FLAGS = ['--disable-warning=ExperimentalWarning'];

/**
 * Programs that a user points at files keep the caller's folder; tools that work on the repository run in its root.
 * `start` runs when the checkout is ready and before the command: what the command needs while it runs.
 * @typedef {{ env: Record<string, string>, stop: () => Promise<void> }} Surroundings
 * @typedef {{ args: string[], cwd?: string, start?: () => Promise<Surroundings> }} Command
 * @type {Record<string, (args: string[], root: string) => Command | Promise<Command>>}
 */
const COMMANDS = {
  start: (args, root) => ({ args: [`${root}/examples/folder-report/main.ts`, ...args] }),
  longshore: (args, root) => ({
    args: [`${root}/src/cli/main.ts`, ...args],
    ...(['serve', 'dashboard'].includes(args[0] ?? '') ? { start: () => withPage(root) } : {}),
  }),
  bench: (args, root) => ({ args: [`${root}/bench/src/main.ts`, ...args] }),
  test: async (args, root) => {
    const { testArguments, testFiles } = await import('./test-arguments.mjs');
    const files = testFiles(args, root);
    const start = async () => {
      const { servicesForTests } = await import('./services/for-tests.mjs');
      await withPage(root);
      return servicesForTests(files, root);
    };
    return { args: testArguments(args, root), cwd: root, start };
  },
  services: (args, root) => ({ args: [`${root}/setup/services/main.mjs`, ...args] }),
  check: (args, root) => ({ args: [`${root}/setup/check.mjs`, ...args], cwd: root }),
  build: (args, root) => ({ args: [`${root}/setup/build.mjs`, ...args], cwd: root }),
  docs: (args, root) => ({ args: [`${root}/setup/docs.mjs`, ...args] }),
  format: (args, root) => ({ args: [`${root}/setup/format.mjs`, ...args], cwd: root }),
};

/** What serves the page needs it built. */
async function withPage(root) {
  const { pageOfSources } = await import('./page.mjs');
  await pageOfSources(root);
  return { env: {}, stop: async () => {} };
}

/**
 * @param {string | undefined} name
 * @param {string[]} args
 * @param {string} root
 * @returns {Promise<Command & { cwd: string }>}
 */
export async function commandFor(name, args, root) {
  const make = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (make === undefined) {
    throw new Error(
      `setup/run.mjs: unknown command ${JSON.stringify(name)}; use ${Object.keys(COMMANDS).join(', ')}`,
    );
  }
  const command = await make(args, root);
  return { ...command, args: [...FLAGS, ...command.args], cwd: command.cwd ?? process.cwd() };
}
