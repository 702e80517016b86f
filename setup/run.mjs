/**
 * The one door of the npm scripts: `node setup/run.mjs <command> [arguments]`.
 *
 * It makes the checkout ready (packages, and a Node that runs TypeScript), then hands over to the command with the
 * right Node and gets out of the way: the child has the terminal, the signals and the exit code.
 * It runs on any Node from 20 on with nothing installed, so it may import only Node's own modules and its neighbours.
 * Standard output belongs to the command; what set-up has to say goes to standard error.
 */
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';
import { commandFor } from './commands.mjs';
import { makeReady } from './ready.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

try {
  const [name, ...args] = process.argv.slice(2);
  const command = await commandFor(name, args, root);
  const node = await makeReady(root);
  const surroundings = await command.start?.();
  const end = await run(node, command, surroundings?.env).finally(() => surroundings?.stop());
  leaveAs(end);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function run(node, { args, cwd }, env = {}) {
  return runChild(node, args, {
    stdio: 'inherit',
    cwd,
    env: {
      // Node keeps the stripped sources there: a start of the command line program takes half the time.
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node'),
      ...process.env,
      ...env,
      PATH: pathWith(join(root, 'node_modules', '.bin'), dirname(node)),
    },
  });
}

/** @param {string[]} folders */
function pathWith(...folders) {
  return [...folders, process.env.PATH ?? ''].filter(Boolean).join(delimiter);
}

/** Ends this process the way the child ended, so that shells and CI see the truth. */
function leaveAs({ code, signal }) {
  if (signal === null) {
    process.exitCode = code;
    return;
  }
  process.kill(process.pid, signal);
  // Where the signal does not end this process (Windows, a handler left behind), its shell exit code does.
  setImmediate(() => process.exit(1));
}
