/**
 * The JavaScript of the package: a few files instead of one a module. A worker's process is 9 MB smaller for it, and
 * imports the package in a quarter of the time: 90 modules are so many that Node compiles its own loader for speed
 * (docs/adr/0016-bundled-package.md).
 * esbuild, since it keeps names and takes a second. Only the syntax is made short, so that one can still read it: minified
 * names would save no memory. There are no source maps: they were a third of the package, and the files read well without.
 *
 * A module that something outside addresses (package.json, `new URL` in the sources) has its file where the module is.
 * What such files share, and what is loaded on demand, lies in folders named `shared`.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { build } from 'esbuild';

/** May meet in one thread, so that there is one class of each name: users compare them. */
const LIBRARY = [
  'index',
  'store/store',
  'telemetry/events',
  'telemetry/prometheus/index',
  'telemetry/otel/index',
  'connectors/temporal/index',
  'connectors/operaton/index',
  'connectors/camunda/index',
  'testing/index',
  'cli/main',
  'execution/thread-main',
  'execution/process-main',
  // Imported by hosts, beside the tasks' modules.
  'store/sqlite/remote-complete',
  'store/postgres/remote-complete',
];

/** Loaded by threads that run nothing else. What meets in one of them shares its modules: a second copy of a class is another class. */
const THREADS = [
  { entries: ['store/sqlite/thread'], shared: 'store/sqlite/shared' },
  // Temporal's SDK bundles it, for a place without any module of Node.
  { entries: ['connectors/temporal/echo-workflow'], shared: 'connectors/temporal/shared' },
  { entries: ['store/heart', 'store/postgres/keep-alive', 'store/redis/keep-alive'], shared: 'store/shared' },
  { entries: ['engine/keeper-thread'], shared: 'engine/shared' },
];

/** Must start without the rest of the package; the catalogue of events, since what others make of it needs it first. */
const LIGHT = ['index', 'version', 'cli/main', 'cli/program', 'telemetry/events'];

/**
 * @param {string} source the folder of the sources
 * @param {string} out where the files go
 */
export async function bundle(source, out) {
  const names = readdirSync(source, { recursive: true })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replace(/\.ts$/, ''));
  const withIndex = [...LIBRARY, ...loadedOnDemand(source, names)].filter((name) => !LIGHT.includes(name));
  await Promise.all([
    write(source, out, { entries: LIBRARY, shared: 'shared', withIndex }),
    ...THREADS.map((thread) => write(source, out, { ...thread, withIndex: [] })),
  ]);
}

/** Modules that some other one imports by `import('...')`. */
function loadedOnDemand(source, names) {
  return names.flatMap((name) =>
    [...readFileSync(join(source, `${name}.ts`), 'utf8').matchAll(/\bimport\('(\..*?)\.ts'\)/g)].map(
      ([, path]) => posix.join(posix.dirname(name), path),
    ),
  );
}

/**
 * `withIndex`: modules that load the package's index first. What they share with it is then loaded in any case, and need
 * not be cut into a file for each set of modules that share something.
 */
async function write(source, out, { entries, shared, withIndex }) {
  const { outputFiles } = await build({
    absWorkingDir: dirname(resolve(source)),
    entryPoints: entries.map((name) => ({ in: resolve(source, `${name}.ts`), out: name })),
    outdir: resolve(out),
    chunkNames: `${shared}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    minifySyntax: true,
    // What is left of it after `modules` has replaced what it knows: the check below finds it.
    define: { 'import.meta.url': 'URL_OF_UNKNOWN' },
    logLevel: 'warning',
    write: false,
    plugins: [modules(resolve(source), withIndex)],
  });
  for (const { path, text } of outputFiles) {
    if (path.endsWith('.js') && text.includes('URL_OF_UNKNOWN'))
      throw new Error(
        `npm run build: ${path} has an import.meta.url in a form that setup/bundle.mjs does not know.`,
      );
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, withUrls(text, relative(resolve(out), dirname(path)).split(sep).join('/')));
  }
}

/** The form in which the sources use it; elsewhere it stands in comments and messages. */
const OWN_URL = /(?<=, )import\.meta\.url(?=\))/g;

/** A module keeps its own URL, in whichever file it comes to lie: workers and SQL are found by it. */
function modules(source, withIndex) {
  const urlOf = (name) => `URL_OF(${JSON.stringify(`${name}.js`)})`;
  return {
    name: 'modules',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^package-index$/ }, () => ({ path: join(source, 'index.ts') }));
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const name = relative(source, path).split(sep).join('/').replace(/\.ts$/, '');
        const first = withIndex.includes(name) ? "import 'package-index';" : '';
        return {
          contents: first + readFileSync(path, 'utf8').replaceAll(OWN_URL, () => urlOf(name)),
          loader: 'ts',
        };
      });
    },
  };
}

/** In a file of this folder below the root of the build. */
function withUrls(text, folder) {
  return text.replaceAll(/\bURL_OF\("(.*?)"\)/g, (_, module) => {
    const path = posix.relative(folder, module);
    // Undefined where a user's bundler makes CommonJS of it, and no `new URL`, which such a bundler would look into.
    return `import.meta.url?.replace(/[^/]*$/, "${path}")`;
  });
}
