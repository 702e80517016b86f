/** Makes examples with packages of their own ready to run: the libraries that they show, and the client that Prisma makes. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { withLock } from './lock.mjs';
import { installPackages, readyPackages } from './own-packages.mjs';
import { packagesAreCurrent } from './stamp.mjs';

/**
 * @param {string} root
 * @returns {Promise<string>} the folder
 */
export async function readyTransactionalExamples(root) {
  const folder = join(root, 'examples', 'transactional');
  if (isReady(folder)) return folder;
  return withLock(folder, async () => {
    await installPackages(folder);
    if (!isGenerated(folder)) await generate(folder);
    return folder;
  });
}

/**
 * @param {string} root
 * @returns {Promise<string>} the folder
 */
export async function readyFrameworkExamples(root) {
  const folder = join(root, 'examples', 'frameworks');
  await readyPackages(folder);
  return folder;
}

function isReady(folder) {
  return packagesAreCurrent(folder) && isGenerated(folder);
}

function isGenerated(folder) {
  const made = statSync(join(folder, 'generated', 'client.ts'), { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs >= statSync(join(folder, 'prisma', 'schema.prisma')).mtimeMs;
}

/** The Prisma client is made from its schema by npm packages alone, though the program asks for an engine first. */
async function generate(folder) {
  const { code, output } = await runChild(
    process.execPath,
    [join(folder, 'node_modules', 'prisma', 'build', 'index.js'), 'generate'],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Any program that is there will do: `generate` does not start it, but would download one.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
    },
  );
  if (code !== 0) throw new Error(`${output.trimEnd()}\nset-up: \`prisma generate\` failed in ${folder}.`);
}
