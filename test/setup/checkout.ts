/**
 * A throw-away checkout: the real set-up scripts, tiny programs where the real ones would be, and an npm that only
 * writes down what it was asked for. So these tests need no network and break no node_modules.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeStamp } from '../../setup/stamp.mjs';

const SETUP = fileURLToPath(new URL('../../setup', import.meta.url));

export interface RunOptions {
  /** What the run believes its Node's version is; by default that of the Node which runs the tests. */
  readonly version?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly process: ChildProcess;
  readonly end: Promise<RunEnd>;
  /** Resolves once the run has printed `text` on standard output or standard error. */
  printed(text: string): Promise<void>;
}

export class Checkout {
  readonly root: string;

  constructor(t: TestContext) {
    this.root = mkdtempSync(join(tmpdir(), 'longshore-setup-'));
    t.after(() => rmSync(this.root, { recursive: true, force: true }));
    cpSync(SETUP, join(this.root, 'setup'), { recursive: true });
    this.write('package.json', '{ "type": "module" }');
    this.write('package-lock.json', LOCK);
    this.write('npm/package.json', '{ "type": "commonjs" }');
    this.write('npm/npm-cli.js', FAKE_NPM);
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** As if `npm ci` had run here. */
  installed(): this {
    mkdirSync(join(this.root, 'node_modules'), { recursive: true });
    writeStamp(this.root, this.read('package-lock.json'));
    return this;
  }

  /** The calls of the fake npm, without the flags that only make it quiet. */
  npmCalls(): string[] {
    try {
      return this.read('npm/log').trimEnd().split('\n');
    } catch {
      return [];
    }
  }

  start(args: readonly string[], options: RunOptions = {}): Run {
    const preload =
      options.version === undefined
        ? []
        : [
            '--import',
            `data:text/javascript,Object.defineProperty(process,'version',{value:'${options.version}'})`,
          ];
    const child = spawn(process.execPath, [...preload, join(this.root, 'setup', 'run.mjs'), ...args], {
      cwd: this.root,
      env: { ...this.#environment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return observe(child);
  }

  /** As a user's shell has it: not that of a test, and with the fake npm where npm tells its scripts who called them. */
  #environment(): NodeJS.ProcessEnv {
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...environment } = process.env;
    return { ...environment, npm_execpath: join(this.root, 'npm', 'npm-cli.js') };
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<RunEnd> {
    return this.start(args, options).end;
  }
}

function observe(child: ChildProcess): Run {
  const texts = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const end = once(child, 'close').then(([code, signal]) => ({ code, signal, ...texts }));
  const printed = (text: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (`${texts.stdout}\n${texts.stderr}`.includes(text)) resolve();
    };
    listeners.add(look);
    look();
    end.then(() => reject(new Error(`ended without printing ${text}: ${texts.stdout}${texts.stderr}`)));
    return promise;
  };
  return { process: child, end, printed };
}

const LOCK = JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } });

/**
 * Logs its arguments and does what the environment says: NPM_FAILS, NPM_WAITS_FOR (a file), and NPM_NODE_IN (the
 * package that comes with a Node binary; as with the real ones, only that package has it).
 */
const FAKE_NPM = `
const { appendFileSync, existsSync, mkdirSync, rmSync, watch, writeFileSync } = require('node:fs');
const args = process.argv.slice(2).filter((arg) => !/^--(no-audit|no-fund|no-update|loglevel)/.test(arg));
appendFileSync(__dirname + '/log', args.join(' ') + '\\n');
const { NPM_FAILS, NPM_WAITS_FOR, NPM_NODE_IN } = process.env;
if (NPM_FAILS) {
  console.error('npm error ' + NPM_FAILS);
  process.exit(1);
}
if (args[0] === 'ci') {
  rmSync('node_modules', { recursive: true, force: true });
  mkdirSync('node_modules');
}
const name = args.at(-1).split('@')[0];
if (args[0] === 'install' && name === NPM_NODE_IN) {
  mkdirSync('node_modules/' + name + '/bin', { recursive: true });
  writeFileSync('node_modules/' + name + '/bin/node', '#!/bin/sh\\nexport THROUGH=' + name + '\\nexec ' + process.execPath + ' "$@"\\n', { mode: 0o755 });
}
if (NPM_WAITS_FOR && !existsSync(NPM_WAITS_FOR)) {
  console.log('fake npm waits');
  const watcher = watch(__dirname + '/..', () => existsSync(NPM_WAITS_FOR) && watcher.close());
  if (existsSync(NPM_WAITS_FOR)) watcher.close();
}
`;
