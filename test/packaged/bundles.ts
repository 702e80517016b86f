import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { freshStore, missingFor, PICKED_KINDS } from '../fresh-store.ts';
import { packedProject, putIntoProject, run, toolFile, toolsMissing } from './packed.ts';

/** Programs that were bundled: with Longshore outside they run, with it inside they say which option to set. */
export function bundleTests(): void {
  describe('the package in bundled programs', () => {
    let folder: string;
    let skip: string | null;

    before(async () => {
      folder = putIntoProject(await packedProject(), 'bundled');
      skip = await toolsMissing();
    });

    const esbuild = (...flags: string[]) =>
      run(
        process.execPath,
        [toolFile('esbuild/bin/esbuild'), '--bundle', '--platform=node', '--log-level=error', ...flags],
        folder,
      );
    const vite = (config: string) =>
      run(
        process.execPath,
        [toolFile('vite/bin/vite.js'), 'build', '--config', config, '--logLevel', 'warn'],
        folder,
      );
    const modules = ['program.mjs', 'tasks.mjs', '--format=esm', '--splitting', '--out-extension:.js=.mjs'];

    test('esbuild with Longshore outside: every store runs jobs, and threads do', async (t) => {
      if (skip !== null) return t.skip(skip);
      await esbuild(...modules, '--external:longshore', '--outdir=esbuild-outside');
      const said = await runProgram(t, 'esbuild-outside/program.mjs', folder);
      for (const [name, result] of said) assert.equal(result, '42', name);
    });

    test('a build of Vite for servers leaves Longshore outside: every store runs jobs, and threads do', async (t) => {
      if (skip !== null) return t.skip(skip);
      await vite('vite-outside.config.mjs');
      const said = await runProgram(t, 'vite-outside/program.js', folder);
      for (const [name, result] of said) assert.equal(result, '42', name);
    });

    test('esbuild with all inside: memory runs, every other store and threads say what to set', async (t) => {
      if (skip !== null) return t.skip(skip);
      await esbuild(...modules, '--outdir=esbuild-inside');
      const said = await runProgram(t, 'esbuild-inside/program.mjs', folder);
      assert.equal(said.get('memory') ?? '42', '42');
      said.delete('memory');
      for (const [name, result] of said) assert.match(result, SAYS_WHAT_TO_SET, name);
    });

    test('a bundle of CommonJS with all inside says the same', async (t) => {
      if (skip !== null) return t.skip(skip);
      await esbuild('program.mjs', '--format=cjs', '--outfile=inside.cjs');
      const said = await runProgram(t, 'inside.cjs', folder);
      assert.equal(said.get('memory') ?? '42', '42');
      assert.match(said.get('thread') ?? '', /^TASK_INVALID .*for a bundler: an entry point of its own/);
      for (const [name, result] of said)
        if (name !== 'memory' && name !== 'thread') assert.match(result, SAYS_WHAT_TO_SET, name);
    });

    test('a build of Vite with Longshore inside says the same', async (t) => {
      if (skip !== null) return t.skip(skip);
      await vite('vite-inside.config.mjs');
      const said = await runProgram(t, 'vite-inside/program.js', folder);
      assert.equal(said.get('memory') ?? '42', '42');
      said.delete('memory');
      for (const [name, result] of said) assert.match(result, SAYS_WHAT_TO_SET, name);
    });
  });
}

const SAYS_WHAT_TO_SET =
  /^PACKAGE_INCOMPLETE .*keep Longshore out of the bundle.*--external:longshore.*ssr\.external: \['longshore'\]/;

/** What the program says of each kind of store that there is, and of a thread. */
async function runProgram(t: TestContext, program: string, folder: string): Promise<Map<string, string>> {
  const urls: string[] = [];
  for (const kind of PICKED_KINDS) {
    const missing = await missingFor(kind);
    if (missing !== undefined) {
      t.diagnostic(`without ${kind}: ${missing}`);
      continue;
    }
    const { url, remove } = await freshStore(kind);
    t.after(remove);
    urls.push(url);
  }
  const { stdout } = await run(process.execPath, [program, ...urls], folder);
  const said = new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t', 2) as [string, string]),
  );
  assert.equal(said.size, urls.length + 1, stdout);
  return said;
}
