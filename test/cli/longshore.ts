/** Runs the real command line program as a child process, in a folder of its own with a store of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/index.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** What task files of the tests import. */
export const LONGSHORE = new URL('../../src/index.ts', import.meta.url).href;
export const ZOD = import.meta.resolve('zod');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder for one test, removed when it ends. The store is `jobs.db` in it, by LONGSHORE_STORE. */
export class Sandbox {
  readonly folder: string;
  readonly #children = new Set<ChildProcessWithoutNullStreams>();

  constructor(context: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), 'longshore-cli-'));
    context.after(() => {
      for (const child of this.#children) child.kill('SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  write(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: this.folder, env: environment(env) });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  async run(args: readonly string[], { input, env }: RunOptions = {}): Promise<Ended> {
    const child = this.start(args, env);
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    return ended(child);
  }

  /** Runs with --json, expects the exit code 0, and returns the document. */
  async json<Document = Record<string, unknown>>(
    args: readonly string[],
    options?: RunOptions,
  ): Promise<Document> {
    const { code, stdout, stderr } = await this.run([...args, '--json'], options);
    if (code !== 0) throw new Error(`longshore ${args.join(' ')} ended with ${code}\n${stderr}`);
    return JSON.parse(stdout) as Document;
  }

  /** What the store's list of actions says, the oldest first. */
  async actions(): Promise<(readonly [action: string, target: string | null])[]> {
    const longshore = await connect(`sqlite:${join(this.folder, 'jobs.db')}`);
    const { entries } = await longshore.audit.list();
    await longshore.close();
    return entries.map(({ action, target }) => [action, target] as const).reverse();
  }

  /** Enqueues a job and returns its id. */
  async enqueue(...args: readonly string[]): Promise<string> {
    const { id } = await this.json<{ id: string }>(['enqueue', ...args]);
    return id;
  }
}

export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const code = await promise;
  return { code, stdout, stderr };
}

/** Resolves to the first line of a stream that `wanted` accepts; the stream goes on flowing. */
export function lineOf(stream: NodeJS.ReadableStream, wanted: (line: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stream });
    const seen: string[] = [];
    lines.on('line', (line) => {
      seen.push(line);
      if (wanted(line)) resolve(line);
    });
    lines.on('close', () =>
      reject(new Error(`the stream ended without the line; it had:\n${seen.join('\n')}`)),
    );
  });
}

/** Nothing of the machine's own settings may reach the program. */
function environment(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(LONGSHORE_|NODE_OPTIONS|NODE_TEST_CONTEXT|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  return { ...Object.fromEntries(kept), LONGSHORE_STORE: 'sqlite:jobs.db', TZ: 'UTC', ...env };
}

/** Task files for most tests: TypeScript, with a schema, a failure, and a job that ends when its signal says so. */
export const TASKS = `
import { z } from ${JSON.stringify(ZOD)};
import { defineTask, UnrecoverableError } from ${JSON.stringify(LONGSHORE)};

interface Sum { readonly sum: number }

export const add = defineTask({
  name: 'add',
  input: z.object({ a: z.number(), b: z.number() }),
  run: ({ input, log, progress }): Sum => {
    log('adding', { first: input.a });
    progress(1);
    return { sum: input.a + input.b };
  },
});

export const refuse = defineTask({
  name: 'refuse',
  run: (): never => { throw new UnrecoverableError('not today'); },
});

export const hold = defineTask({
  name: 'hold',
  queue: 'slow',
  run: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('let go'))),
});
`;
