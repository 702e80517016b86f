import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../bench/src/main.ts', import.meta.url));

export interface BenchEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bench <arguments>` as users do, as a process of its own. */
export function bench(...args: string[]): Promise<BenchEnd> {
  return new Promise((resolve) => {
    const options = { timeout: 120_000, maxBuffer: 64 * 2 ** 20 };
    execFile(process.execPath, [...process.execArgv, MAIN, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** As `bench`, interrupted (SIGINT) as soon as it said that. */
export async function benchInterrupted(said: RegExp, ...args: string[]): Promise<BenchEnd> {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], { timeout: 120_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (!said.test(stderr) && said.test(stderr + text)) child.kill('SIGINT');
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code: Number(code ?? -1), stdout, stderr };
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// biome-ignore lint/suspicious/noExplicitAny: documents are asserted on field by field.
export type AnyDocument = any;

/** The document of a run that must succeed. */
export async function measured(
  command: string,
  ...args: string[]
): Promise<{ document: AnyDocument; text: string }> {
  const { code, stdout, stderr } = await bench(command, ...args, '--json');
  assert.equal(code, 0, stderr);
  const document: AnyDocument = JSON.parse(stdout);
  assert.deepEqual([document.schema, document.command], ['longshore-bench/1', command]);
  assert.deepEqual(Object.keys(document.machine).sort(), MACHINE);
  assert.ok(Number.isFinite(Date.parse(document.startedAt)));
  return { document, text: stdout };
}

const MACHINE = [
  'commit',
  'cores',
  'cpu',
  'dirty',
  'filesystem',
  'loadBefore',
  'longshore',
  'memoryMb',
  'node',
  'platform',
];
