/**
 * The page of src/page as the browser gets it: one script, one style sheet, one document. From sources it lies in
 * src/page/built, which is made anew when a source is newer; the package has it in dist/page/built.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BUILT = 'built';
/** What results of the bench show, which the page draws. */
const REPORTS = join('bench', 'src', 'report');

/**
 * Nothing where the checkout has no sources of a page.
 * @param {string} root of the checkout
 */
export async function pageOfSources(root) {
  const source = join(root, 'src', 'page');
  if (!existsSync(source) || isCurrent(source, join(root, 'setup', 'page.mjs'))) return;
  const staging = join(source, `${BUILT}-${process.pid}.tmp`);
  try {
    await buildPage(source, staging);
    rmSync(join(source, BUILT), { recursive: true, force: true });
    renameSync(staging, join(source, BUILT));
  } catch (error) {
    // Another process was first.
    if (!isCurrent(source, join(root, 'setup', 'page.mjs'))) throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * @param {string} source the folder src/page
 * @param {string} out where the files go
 */
export async function buildPage(source, out) {
  const { build } = await import('esbuild');
  mkdirSync(out, { recursive: true });
  await build({
    absWorkingDir: dirname(source),
    entryPoints: [
      { in: join(source, 'main.tsx'), out: 'page' },
      { in: join(source, 'page.css'), out: 'page' },
    ],
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome120', 'firefox120', 'safari17'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'inline',
    logLevel: 'warning',
    // Its own settings are for the checker alone.
    tsconfigRaw: {},
  });
  copyFileSync(join(source, 'index.html'), join(out, 'index.html'));
}

function isCurrent(source, maker) {
  const built = statSync(join(source, BUILT, 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return false;
  const sources = [source, join(source, '..', '..', REPORTS)].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith(BUILT))
      .map((name) => join(folder, name)),
  );
  return [...sources, maker].every(
    (file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < built,
  );
}
