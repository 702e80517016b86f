import { execFile } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isError, nameOf, show } from '../core/legible.ts';

/** Why a module could not be loaded, as `path:line cannot be loaded: reason`, on one line. */
export async function loadFault(file: string, error: unknown): Promise<string> {
  const place = placeInStack(error, file) ?? (await placeOfSyntaxError(error, file)) ?? shortPath(file);
  return `${place} cannot be loaded: ${reasonOf(error)}${remedyOf(file, error)}`;
}

/** `npm init` makes packages whose modules are CommonJS. */
function remedyOf(file: string, error: unknown): string {
  if (!isError(error) || !error.message.includes('outside a module')) return '';
  const name = file.endsWith('.ts') ? '.mts' : '.mjs';
  return `; set "type": "module" in the package.json above it, or end its name in ${name}`;
}

function reasonOf(error: unknown): string {
  if (!isError(error)) return `it threw ${show(error)}`;
  const code = (error as NodeJS.ErrnoException).code;
  // Node's type stripper puts the excerpt first and the reason last; other messages have the reason first.
  const lines = error.message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const text = (lines[0] ?? '').replace(/\.$/, '');
  const name =
    code === 'ERR_INVALID_TYPESCRIPT_SYNTAX' || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
      ? 'SyntaxError'
      : error.name;
  return `${name}: ${text}`;
}

/** The first place in the file itself that the stack names. */
function placeInStack(error: unknown, file: string): string | null {
  if (!isError(error) || error.stack === undefined) return null;
  const absolute = resolve(file);
  for (const [, url, path, line] of error.stack.matchAll(/(?:(file:\/\/[^\s():]+)|(\/[^\s():]+)):(\d+)/g)) {
    const found = url === undefined ? path : fileURLToPath(url);
    if (found === absolute) return `${shortPath(file)}:${line}`;
  }
  return null;
}

/** Node tells the line of a syntax error only to those who run the file: so have it checked. */
async function placeOfSyntaxError(error: unknown, file: string): Promise<string | null> {
  if (!isError(error) || nameOf(error) !== 'SyntaxError') return null;
  try {
    await promisify(execFile)(process.execPath, ['--check', resolve(file)]);
    return null;
  } catch (refused) {
    const { stderr = '' } = refused as { stderr?: string };
    const line = /^.+:(\d+)$/m.exec(stderr)?.[1];
    return line === undefined ? null : `${shortPath(file)}:${line}`;
  }
}

/** Relative to the current folder where that is shorter. */
export function shortPath(file: string): string {
  const short = relative(process.cwd(), resolve(file));
  return short === '' || short.startsWith('..') ? file : short;
}
