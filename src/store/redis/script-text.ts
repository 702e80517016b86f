import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { ERRORS_KEPT_FIRST, ERRORS_KEPT_LAST, LOGS_KEPT } from '../../core/trail.ts';
import { OLDEST_AMONG } from '../store.ts';
import { scriptsFolder } from './folder.ts';

/**
 * Puts the scripts of lua/ together. A verb's file names the shared parts it needs (`-- Needs: jobs, wire`), a part those it
 * needs itself; what is sent to the server is the parts and then the verb.
 */
export interface Script {
  readonly text: string;
  readonly digest: string;
  /** It writes nothing. */
  readonly reads: boolean;
}

const scripts = new Map<string, Script>();
const files = new Map<string, string>();

export function scriptNames(): string[] {
  return readdirSync(scriptsFolder())
    .filter((file) => file.endsWith('.lua') && !file.startsWith('_'))
    .map((file) => file.slice(0, -'.lua'.length));
}

/** Every command that scripts run. */
export function commandsOfScripts(): string[] {
  const commands = new Set<string>();
  for (const file of readdirSync(scriptsFolder()))
    for (const [, command = ''] of fileOf(file.replace(/\.lua$/, '')).matchAll(COMMANDS))
      commands.add(command);
  return [...commands];
}

const COMMANDS = /\b(?:call|tryCall|callMany)\('([A-Z]+)'/g;

export function scriptOf(name: string): Script {
  let script = scripts.get(name);
  if (script === undefined) {
    const text = joined(name);
    const digest = createHash('sha1').update(text).digest('hex');
    script = { text, digest, reads: isReading(text) };
    scripts.set(name, script);
  }
  return script;
}

/** The first line is the verb's own when it starts with `#!`: it tells the server how the script may run. */
function joined(name: string): string {
  const verb = fileOf(name);
  const flags = /^#!.*\n/.exec(verb)?.[0] ?? '#!lua\n';
  const parts = new Set<string>();
  addNeeds(verb, parts);
  const pieces = [`local READING = ${isReading(flags) ? 1 : 0}\n`, ...[...parts].map(fileOf)];
  pieces.push(verb.replace(/^#!.*\n/, ''));
  const layered = withLayer(pieces.map(withoutComments), pieces.indexOf(fileOf(LOWER_LAST)) + 1);
  return flags + withoutUnused(withConstants(layered));
}

function isReading(text: string): boolean {
  return text.startsWith('#!lua flags=no-writes\n');
}

/** The last of the parts that nearly all others use names of. */
const LOWER_LAST = '_record';

/**
 * Puts what follows the first `lower` pieces into a function that is called at once. Lua makes a script's functions anew at
 * each call, and looks each name from outside that one uses up among all names of the function around it, the oldest last;
 * names from further outside it has at hand. So the oldest and most used names cost nothing where a function lies between: a
 * call of claim that finds nothing takes 10 µs instead of 19. Such a function takes no more than 60 names from outside.
 */
function withLayer(pieces: readonly string[], lower: number): string {
  if (lower === 0) return pieces.join('\n');
  const [below, above] = [pieces.slice(0, lower), pieces.slice(lower)];
  return [...below, 'return (function()', ...above, 'end)()'].join('\n');
}

/** A part comes after those it needs. */
function addNeeds(text: string, parts: Set<string>): void {
  const needs = /^--.*\bNeeds: ([a-z, ]+)$/m.exec(text)?.[1]?.split(', ') ?? [];
  for (const need of needs.map((part) => `_${part}`)) {
    addNeeds(fileOf(need), parts);
    parts.add(need);
  }
}

function fileOf(name: string): string {
  let text = files.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`${name}.lua`, scriptsFolder()), 'utf8');
    files.set(name, text);
  }
  return text;
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*--.*\n/gm, '');
}

/**
 * Writes numbers with a name in capitals where the name stands. A script makes its functions anew at each call, and each
 * name from outside that a function uses is looked up among all that are in use so: together with `withoutUnused` this
 * takes a third to a half of what a call of a small script costs.
 */
function withConstants(code: string): string {
  const values = new Map<string, string>(Object.entries(BOUNDS));
  const rest = code.replaceAll(CONSTANTS, (_, names: string, numbers: string) => {
    const given = numbers.split(/,\s*/);
    for (const [index, name] of names.split(', ').entries()) values.set(name, given[index] ?? 'nil');
    return '';
  });
  // Not in strings, which stand at the odd places.
  const pieces = rest.split(/('[^'\n]*')/);
  return pieces
    .map((piece, index) =>
      index % 2 === 1 ? piece : piece.replaceAll(/\b[A-Z_]+\b/g, (word) => values.get(word) ?? word),
    )
    .join('');
}

/** Of trails, and of looks at lines. */
const BOUNDS = {
  OLDEST_AMONG: String(OLDEST_AMONG),
  ERRORS_KEPT_FIRST: String(ERRORS_KEPT_FIRST),
  ERRORS_KEPT_LAST: String(ERRORS_KEPT_LAST),
  LOGS_KEPT: String(LOGS_KEPT),
};

const CONSTANTS = /^local ([A-Z_]+(?:, [A-Z_]+)*) =\s*(\d+(?:,\s*\d+)*)\n/gm;

/** Leaves out the functions of a file's outermost level that nothing uses but those that are left out themselves. */
function withoutUnused(code: string): string {
  const left = wordsOf(code);
  const functions = [...code.matchAll(FUNCTIONS)].map(([text, name = '']) => ({
    name,
    words: wordsOf(text),
  }));
  const unused = new Set<string>();
  for (let before = -1; before !== unused.size; ) {
    before = unused.size;
    for (const { name, words } of functions) {
      if (unused.has(name) || left.get(name) !== words.get(name)) continue;
      unused.add(name);
      for (const [word, times] of words) left.set(word, (left.get(word) ?? 0) - times);
    }
  }
  return code.replaceAll(FUNCTIONS, (text, name: string) => (unused.has(name) ? '' : text));
}

/** How often each stands there. */
function wordsOf(code: string): Map<string, number> {
  const words = new Map<string, number>();
  for (const [word] of code.matchAll(/\w+/g)) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

/** On one line, or up to an `end` that is not indented. */
const FUNCTIONS = /^local function (\w+)\(.*(?: end\n|\n(?:(?: .*)?\n)*end\n)/gm;
