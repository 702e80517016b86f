import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { packedProject, putIntoProject, run, toolFile, toolsMissing } from './packed.ts';

/** Jest loads modules into a realm of its own, Vitest by a loader of its own, here in threads. */
export function runnerTests(): void {
  describe('the package under other test runners', () => {
    let folder: string;
    let skip: string | null;

    before(async () => {
      folder = putIntoProject(await packedProject(), 'runners');
      skip = await toolsMissing();
    });

    test('stores that need no server run jobs under Jest 30', async (t) => {
      if (skip !== null) return t.skip(skip);
      const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
      const jest = [toolFile('jest/bin/jest.js'), '--rootDir', folder, '--no-color'];
      const { stderr } = await run(process.execPath, [...flags, ...jest], folder, { CI: 'true' });
      assert.match(stderr, /^Tests: +6 passed, 6 total$/m);
    });

    test('stores that need no server run jobs under Vitest 4', async (t) => {
      if (skip !== null) return t.skip(skip);
      const vitest = [toolFile('vitest/vitest.mjs'), 'run', '--root', folder, '--globals', '--pool=threads'];
      const { stdout } = await run(process.execPath, vitest, folder, { CI: 'true', NO_COLOR: '1' });
      assert.match(stdout, /Tests +6 passed \(6\)/);
    });
  });
}
