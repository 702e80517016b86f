import { LongshoreError } from './core/errors.ts';

/**
 * The place of a file of this package beside the module of URL `module`: a program of a thread or process (named without
 * its extension), or a folder (its name ends in `/`). A program that was bundled together with Longshore has none of
 * them: a bundler takes what is imported and leaves what is addressed. Throws PACKAGE_INCOMPLETE.
 *
 * `module` is `import.meta.url`, which is undefined in a bundle of CommonJS.
 */
export function ownFile(name: string, module: string | undefined): URL {
  if (module === undefined) throw incomplete(name);
  const isFolder = name.endsWith('/');
  const place = new URL(isFolder ? name : `${name}${module.endsWith('.ts') ? '.ts' : '.js'}`, module);
  // Not imported: an import of node:fs takes 2.5 MB.
  if (!process.getBuiltinModule('node:fs').existsSync(place)) throw incomplete(place.href);
  return place;
}

function incomplete(file: string): LongshoreError {
  return new LongshoreError(
    'PACKAGE_INCOMPLETE',
    `${file} is a file of Longshore, and is not there. A bundler leaves such files out, so keep Longshore out of the bundle, and install it where the program runs: --external:longshore (esbuild), ssr.external: ['longshore'] (Vite), external: ['longshore'] (Rollup), externals (webpack).`,
    { details: { file } },
  );
}
