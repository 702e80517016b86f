import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/bench/main.ts', import.meta.url));

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

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-bench-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
