/**
 * Compiles the programs of a folder with TypeScript 5.4, once for each way to resolve modules. One process for all: most of
 * the time goes into reading the compiler's own declarations.
 */
import { join } from 'node:path';
import ts from 'typescript';

const folder = process.argv[2];
const { ModuleKind, ModuleResolutionKind } = ts;

const WAYS = [
  ['node10', ModuleKind.CommonJS, ModuleResolutionKind.Node10, ['use.ts']],
  ['node16', ModuleKind.Node16, ModuleResolutionKind.Node16, ['use-esm.mts', 'use-cjs.cts']],
  ['bundler', ModuleKind.ESNext, ModuleResolutionKind.Bundler, ['use.ts']],
];

/** Declarations of the package are checked, those of the language are not. No types of Node: a user may have others. */
const STRICT = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipDefaultLibCheck: true,
  types: [],
};

const libraries = new Map();

for (const [name, module, moduleResolution, files] of WAYS) {
  const options = { ...STRICT, module, moduleResolution };
  const paths = files.map((file) => join(folder, file));
  const program = ts.createProgram(paths, options, hostFor(options));
  const faults = ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), {
    getCanonicalFileName: (path) => path,
    getCurrentDirectory: () => folder,
    getNewLine: () => '\n',
  });
  console.log(`${ts.versionMajorMinor} ${name}: ${faults === '' ? 'ok' : faults}`);
}

function hostFor(options) {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (path, ...rest) => {
    if (!/[/\\]lib\.[^/\\]*\.d\.ts$/.test(path)) return read(path, ...rest);
    if (!libraries.has(path)) libraries.set(path, read(path, ...rest));
    return libraries.get(path);
  };
  return host;
}
