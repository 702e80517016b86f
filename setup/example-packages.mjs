/**
 * Makes examples/transactional ready to run: the database libraries it shows are packages of its own, so that the
 * project itself stays small. Paid once a checkout; afterwards it costs two looks at files.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { withLock } from './lock.mjs';
import { npm } from './npm.mjs';
import { lockFile, packagesAreCurrent, writeStamp } from './stamp.mjs';

/**
 * @param {string} root
 * @returns {Promise<string>} the folder
 */
export async function readyTransactionalExamples(root) {
  const folder = join(root, 'examples', 'transactional');
  if (isReady(folder)) return folder;
  return withLock(folder, async () => {
    if (!packagesAreCurrent(folder)) await install(folder);
    if (!isGenerated(folder)) await generate(folder);
    return folder;
  });
}

function isReady(folder) {
  return packagesAreCurrent(folder) && isGenerated(folder);
}

async function install(folder) {
  process.stderr.write('set-up: installing the packages of examples/transactional\n');
  const lock = lockFile(folder);
  await npm(['ci', '--ignore-scripts', '--engine-strict=false'], folder);
  writeStamp(folder, lock);
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
