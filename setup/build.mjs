/**
 * `npm run build`: src to dist, as it is published: JavaScript in a few files (bundle.mjs), declarations, what `require`
 * takes (entries.mjs), source maps, and the files beside the sources that are no TypeScript (SQL, Lua), each next to the place of its module.
 * Built in a folder of its own and swapped in when complete, so that dist is never half of a build.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle } from './bundle.mjs';
import { runChild } from './child.mjs';
import { finishEntries } from './entries.mjs';
import { buildPage } from './page.mjs';
import { tool } from './tools.mjs';

/** Built by page.mjs. */
const PAGE = join('src', 'page');
const staging = resolve(`dist-${process.pid}.tmp`);

try {
  const { code } = await runChild(
    process.execPath,
    [tool('tsc'), '-p', 'tsconfig.build.json', '--outDir', staging],
    {
      stdio: 'inherit',
    },
  );
  if (code === 0) await publish();
  else process.exitCode = code;
} finally {
  rmSync(staging, { recursive: true, force: true });
}

async function publish() {
  for (const path of readdirSync(staging, { recursive: true }))
    if (/\.js$/.test(path)) rmSync(join(staging, path));
  await bundle('src', staging);
  cpSync('src', staging, {
    recursive: true,
    filter: (source) => source !== PAGE && (statSync(source).isDirectory() || !source.endsWith('.ts')),
  });
  await buildPage(resolve(PAGE), join(staging, 'page', 'built'));
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  await finishEntries(staging, manifest);
  for (const program of Object.values(manifest.bin)) {
    const file = join(staging, program.replace(/^dist\//, ''));
    if (!existsSync(file)) throw new Error(`npm run build: ${program} of package.json was not built`);
    chmodSync(file, 0o755);
  }
  rmSync('dist', { recursive: true, force: true });
  renameSync(staging, 'dist');
}
