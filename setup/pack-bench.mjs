/**
 * `node setup/pack-bench.mjs [FOLDER]`: the measuring kit as a package that other projects can install beside Longshore
 * (`npm install --save-dev ./longshore-bench-0.1.0.tgz`), into FOLDER or the current one. Node runs no TypeScript below
 * node_modules, so each module becomes JavaScript in its place: modules are found by their places. Modules that take
 * something of Longshore's sources take it along, except for its public names, which come from the project's own copy.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { npm } from './npm.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'bench', 'src');
/** What this hands on is the package itself. */
const PUBLIC = join(SOURCE, 'longshore.ts');
const target = resolve(process.argv[2] ?? '.');
const staging = mkdtempSync(join(tmpdir(), 'longshore-bench-package-'));

try {
  await compile();
  for (const name of ['workloads', 'result.schema.json'])
    cpSync(join(ROOT, 'bench', name), join(staging, name), { recursive: true });
  cpSync(join(ROOT, 'LICENSE'), join(staging, 'LICENSE'));
  writeFileSync(join(staging, 'package.json'), JSON.stringify(manifest(), null, 2));
  await npm(['pack', '--pack-destination', target], staging);
  process.stdout.write(`${join(target, `${manifest().name}-${manifest().version}.tgz`)}\n`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

async function compile() {
  const modules = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(SOURCE, name));
  await build({
    entryPoints: modules.filter((path) => path !== PUBLIC),
    outdir: join(staging, 'src'),
    outbase: SOURCE,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    plugins: [{ name: 'places', setup: keepPlaces }],
  });
  writeFileSync(join(staging, 'src', 'longshore.js'), "export * from 'longshore';\n");
}

/** Modules of the kit import each other as they do in the sources; those of Longshore are taken in. */
function keepPlaces({ onResolve }) {
  onResolve({ filter: /^\./ }, ({ path, importer, resolveDir }) => {
    const isKits = (file) => !relative(SOURCE, file).startsWith('..');
    if (importer === '' || !isKits(importer) || !isKits(resolve(resolveDir, path))) return undefined;
    return { path: path.replace(/\.ts$/, '.js'), external: true };
  });
}

function manifest() {
  const {
    private: _private,
    devDependencies: _tools,
    ...kit
  } = JSON.parse(readFileSync(join(ROOT, 'bench', 'package.json'), 'utf8'));
  const { version, engines, repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return {
    ...kit,
    version,
    engines,
    repository,
    exports: { ...kit.exports, '.': './src/index.js' },
    peerDependencies: { longshore: version },
  };
}
