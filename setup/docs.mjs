/**
 * `npm run docs`: the API reference, made by TypeDoc from the types and docstrings of what the package exports, into
 * docs/api. A first argument names another folder.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';
import { readyPackages } from './own-packages.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(ROOT, 'setup', 'api-reference');

const out = resolve(process.argv[2] ?? join(ROOT, 'docs', 'api'));
await readyPackages(FOLDER);
const { code } = await runChild(
  process.execPath,
  [
    join(FOLDER, 'node_modules', 'typedoc', 'bin', 'typedoc'),
    '--options',
    join(FOLDER, 'typedoc.json'),
    '--out',
    out,
  ],
  { cwd: ROOT, stdio: 'inherit' },
);
process.exitCode = code ?? 1;
