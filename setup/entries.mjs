/**
 * What the package's entries need besides their modules: for `require`, a file of CommonJS that hands on the one ES
 * module there is (Node 22.18 and later), with types that say so; and no declaration that no entry leads to.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, posix, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @param {string} out the folder of the build, which package.json calls `dist`
 * @param {{ exports: Record<string, string | { default: string, types: string, require: { default: string, types: string } }> }} manifest
 */
export async function finishEntries(out, manifest) {
  const entries = Object.values(manifest.exports).filter((entry) => typeof entry === 'object');
  keepReachable(
    out,
    entries.map(({ types }) => inBuild(types)),
  );
  for (const { default: module, require } of entries) {
    const file = basename(module);
    writeFileSync(join(out, inBuild(require.default)), `module.exports = require('./${file}');\n`);
    writeFileSync(join(out, inBuild(require.types)), await typesOf(join(out, inBuild(module)), file));
  }
}

function inBuild(path) {
  return path.replace(/^\.\/dist\//, '');
}

const ESM = "with: { 'resolution-mode': 'import' }";

/** One set of types for both: `typeof import` alone can name values of an ES module in CommonJS before TypeScript 5.8. */
async function typesOf(path, file) {
  const names = await import(pathToFileURL(path).href);
  const module = `import('./${file}', { ${ESM} })`;
  const values = Object.entries(names).map(([name, value]) => {
    const declared = `export declare const ${name}: typeof ${module}.${name};\n`;
    return isClass(value) ? `${declared}export type ${name} = ${module}.${name};\n` : declared;
  });
  return `export type * from './${file}' ${ESM.replace(': {', ' {')};\n${values.join('')}`;
}

function isClass(value) {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Of the declarations. */
function keepReachable(out, entries) {
  const reached = new Set();
  const visit = (name) => {
    if (reached.has(name)) return;
    reached.add(name);
    const text = readFileSync(join(out, name), 'utf8');
    for (const [, path] of text.matchAll(/\b(?:from |import\()['"](\.[^'"]+)\.[jt]s['"]/g))
      visit(posix.join(posix.dirname(name), `${path}.d.ts`));
  };
  for (const entry of entries) visit(entry);
  for (const path of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
    const name = path.split(sep).join('/');
    if (name.endsWith('.d.ts') && !reached.has(name)) rmSync(join(out, path));
  }
  removeEmpty(out);
}

function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}
