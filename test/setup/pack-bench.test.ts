/** The measuring kit as a package: installed beside Longshore, as another project would. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

test('the kit is packed as JavaScript that measures a task of another project', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-pack-bench-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const { stdout: file } = await run(process.execPath, [join(ROOT, 'setup', 'pack-bench.mjs'), folder]);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  await run('tar', ['xzf', file.trim(), '-C', modules]);
  const kit = join(modules, 'package');
  const manifest = JSON.parse(readFileSync(join(kit, 'package.json'), 'utf8'));
  assert.deepEqual([manifest.private, manifest.exports['.']], [undefined, './src/index.js']);
  assert.deepEqual(Object.keys(manifest.peerDependencies), ['longshore']);
  for (const name of Object.keys(manifest.dependencies)) linkPackage(name, modules);
  // The project's own copy of Longshore: the sources.
  const longshore = new URL('../../src/index.ts', import.meta.url).href;
  mkdirSync(join(modules, 'longshore'));
  writeFileSync(join(modules, 'longshore', 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(join(modules, 'longshore', 'index.js'), `export * from '${longshore}';`);
  writeFileSync(
    join(folder, 'task.mjs'),
    `import { defineTask } from 'longshore';
     export const add = defineTask({ name: 'add', run: ({ input }) => input.a + 1 });`,
  );
  const args = ['task.mjs', '--input', '{"a":1}', '--strategy', 'async,thread', '--concurrency', '2'];
  writeFileSync(
    join(folder, 'bench.mjs'),
    `import { runBench } from '${join(kit, 'src', 'index.js')}';
     process.exitCode = await runBench(process.argv.slice(2));`,
  );
  const options = { cwd: folder };
  const { stdout } = await run(
    process.execPath,
    ['bench.mjs', ...args, '--cell-time', '50ms', '--json'],
    options,
  );
  const { cells } = JSON.parse(stdout) as { cells: { workload: { strategy: string }; status: string }[] };
  assert.deepEqual(
    cells.map(({ workload, status }) => [workload.strategy, status]),
    [
      ['async', 'done'],
      ['thread', 'done'],
    ],
  );
});

/** As npm would install it. */
function linkPackage(name: string, modules: string): void {
  const target = join(modules, name);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), target, 'junction');
}
