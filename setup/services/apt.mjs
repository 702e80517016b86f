/**
 * Fetches a program from the archive of Debian or Ubuntu without installing it: nothing of the system changes, no
 * service starts, and no rights are needed, since all of apt's state is kept in a folder of its own.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An archive that does not answer must not hold up the tests for long. */
const TIMEOUT_MS = 120_000;

/**
 * @param {string} name of the program
 * @param {string[]} packages those that hold it, also where they are installed: what they depend on may be there already
 * @param {string} folder
 * @returns {Promise<string | undefined>} the program's file; undefined, said on standard error, where that failed
 */
export async function fetchWithApt(name, packages, folder) {
  process.stderr.write(`set-up: fetching ${name} and its libraries with apt-get into node_modules/.cache\n`);
  try {
    rmSync(folder, { recursive: true, force: true });
    await download(packages, join(folder, 'apt'));
    return await unpack(name, folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    process.stderr.write(`set-up: apt-get did not get ${name}: ${error.stderr || error.message}\n`);
    return undefined;
  }
}

async function download(packages, folder) {
  const lists = join(folder, 'lists');
  const archives = join(folder, 'archives');
  for (const each of [lists, archives]) mkdirSync(join(each, 'partial'), { recursive: true });
  const own = [`Dir::State::lists=${lists}`, `Dir::Cache=${folder}`, `Dir::Cache::archives=${archives}`];
  const settings = [...own, 'APT::Sandbox::User=', 'Debug::NoLocking=1'].flatMap((each) => ['-o', each]);
  const apt = (...args) => run('apt-get', [...settings, '--quiet', ...args], { timeout: TIMEOUT_MS });
  await apt('update');
  await apt('install', '--download-only', '--reinstall', '--yes', '--no-install-recommends', ...packages);
}

/** The program behind a script that tells it where its libraries are. */
async function unpack(name, folder) {
  const tree = join(folder, 'tree');
  const archives = join(folder, 'apt', 'archives');
  for (const file of readdirSync(archives).filter((each) => each.endsWith('.deb')))
    await run('dpkg-deb', ['--extract', join(archives, file), tree]);
  rmSync(join(folder, 'apt'), { recursive: true });
  const program = join(tree, 'usr', 'bin', name);
  if (!existsSync(program)) throw new Error(`the packages hold no ${relative(tree, program)}`);
  const script = join(folder, name);
  writeFileSync(script, scriptFor(relative(folder, program), libraryFolders(tree, folder)));
  chmodSync(script, 0o755);
  return script;
}

/** Relative, so that the checkout may be moved. */
function libraryFolders(tree, folder) {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => /^lib.*\.so(\.\d+)*$/.test(entry.name))
    .map((entry) => relative(folder, entry.parentPath ?? entry.path))
    .filter((each, index, all) => all.indexOf(each) === index);
}

function scriptFor(program, folders) {
  const libraries = folders.map((each) => `$here/${each}`).join(':');
  return `#!/bin/sh\nhere=$(dirname "$0")\nLD_LIBRARY_PATH="${libraries}" exec "$here/${program}" "$@"\n`;
}
