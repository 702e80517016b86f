import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { LongshoreError } from '../../core/errors.ts';
import { ERRORS_KEPT_FIRST, ERRORS_KEPT_LAST, LOGS_KEPT } from '../../core/trail.ts';
import type { Topic } from '../notifier.ts';
import type { Connection } from './connection.ts';
import { isNoScript, isReply, isUnsent } from './errors.ts';
import { scriptsFolder } from './folder.ts';
import { type Argument, REQUEST_BYTES_MAX, requestOf, tooLarge } from './request.ts';

/**
 * Calls the scripts of lua/. A verb's file names the shared parts it needs (`-- Needs: jobs, wire`), a part those it
 * needs itself; what is sent to the server is the parts and then the verb, once for each connection: after that, a digest.
 * Were the digest sent first, a server that does not know it yet would carry out the calls behind it before this one. Where a
 * server forgot its scripts meanwhile, it is given the text again.
 */
export class Scripts {
  readonly #connection: Connection;
  readonly #options: ScriptsOptions;
  /** Digests of the scripts that were sent since the connection, of this number, was made. */
  readonly #sent = new Set<string>();
  #connects = 0;

  constructor(connection: Connection, options: ScriptsOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** One round trip. `now` undefined = the server's clock. Rejects with PAYLOAD_TOO_LARGE before anything is sent. */
  async run(name: string, now: number | undefined, args: readonly Argument[] = []): Promise<ScriptReply> {
    const script = scriptOf(name);
    const { base, instance, place, bytesMax = REQUEST_BYTES_MAX, hear } = this.#options;
    const request = requestOf(args);
    if (request.bytes > bytesMax) throw tooLarge(name, { bytes: request.bytes, bytesMax, place });
    const publish = this.#connection.isCluster ? 'SPUBLISH' : 'PUBLISH';
    const time = now === undefined ? '' : String(Math.floor(now));
    const rest = ['1', base, time, instance, publish + request.pieces, ...request.args];
    const reply = (await this.#evaluate(script, rest)) as [number, number, ...unknown[]];
    const [told, at, ...values] = reply;
    if (told > 0) hear(topicsOf(told));
    return { now: at, values };
  }

  /** For scripts that may run twice on the same arguments: where the reply was lost, and the server is soon back, it is asked again. */
  async runAgain(
    name: string,
    now: number | undefined,
    args: readonly Argument[] = [],
  ): Promise<ScriptReply> {
    try {
      return await this.run(name, now, args);
    } catch (error) {
      if (!isLost(error) || !(await this.#connection.returned(RETURN_MS))) throw error;
      return this.run(name, now, args);
    }
  }

  async #evaluate(script: Script, rest: readonly Argument[]): Promise<unknown> {
    const { connects } = this.#connection;
    if (connects !== this.#connects) this.#sent.clear();
    this.#connects = connects;
    try {
      if (this.#sent.has(script.digest))
        return await this.#connection.send(['EVALSHA', script.digest, ...rest]);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      this.#sent.clear();
    }
    this.#sent.add(script.digest);
    return this.#connection.send(['EVAL', script.text, ...rest]);
  }
}

/** Nobody knows whether the script ran. */
function isLost(error: unknown): boolean {
  return !(error instanceof LongshoreError || isReply(error) || isUnsent(error));
}

/** Longer than the first attempts to connect again take; callers wait for it. */
const RETURN_MS = 1_000;

/** What a store object's scripts have in common. */
export interface ScriptsOptions {
  readonly base: string;
  readonly instance: string;
  /** The server, as errors name it. */
  readonly place: string;
  /** Default REQUEST_BYTES_MAX. */
  readonly bytesMax?: number | undefined;
  /** Called with the hints of this object's own verbs; its subscriber leaves out what has `instance`. */
  readonly hear: (topics: readonly Topic[]) => void;
}

export interface ScriptReply {
  /** The time the verb went by. */
  readonly now: number;
  /** What the verb answers: strings are Buffers, numbers whole. */
  readonly values: readonly unknown[];
}

export interface Script {
  readonly text: string;
  readonly digest: string;
}

const TOPICS: readonly Topic[] = ['ready', 'control', 'settled'];

/** From the sum a script gives. */
function topicsOf(told: number): Topic[] {
  return TOPICS.filter((_, index) => (told & (1 << index)) !== 0);
}

const scripts = new Map<string, Script>();
const files = new Map<string, string>();

export function scriptNames(): string[] {
  return readdirSync(scriptsFolder())
    .filter((file) => file.endsWith('.lua') && !file.startsWith('_'))
    .map((file) => file.slice(0, -'.lua'.length));
}

export function scriptOf(name: string): Script {
  let script = scripts.get(name);
  if (script === undefined) {
    const text = joined(name);
    script = { text, digest: createHash('sha1').update(text).digest('hex') };
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
  const pieces = [...parts].map(fileOf);
  pieces.push(verb.replace(/^#!.*\n/, ''));
  const layered = withLayer(pieces.map(withoutComments), [...parts].indexOf(LOWER_LAST) + 1);
  return flags + withoutUnused(withConstants(layered));
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

/** Of trails. */
const BOUNDS = {
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
