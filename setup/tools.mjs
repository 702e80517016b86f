/** Where the installed command line tools live, as files that Node runs: no shell, the same on every system. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

const PACKAGES = { biome: '@biomejs/biome', tsc: 'typescript' };

/** @param {'biome' | 'tsc'} name */
export function tool(name) {
  const manifest = require.resolve(`${PACKAGES[name]}/package.json`);
  return join(dirname(manifest), require(manifest).bin[name]);
}
