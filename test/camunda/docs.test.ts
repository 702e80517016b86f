/** The programs of docs/camunda.md, the SDK's and ours, do the same on the simulator. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { begin, simulatorFor } from './stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/camunda.md'), 'utf8');

describe('docs/camunda.md', { timeout: 120_000 }, () => {
  for (const [name, ends] of [
    ['sdk.ts', 'SIGKILL'],
    ['worker.ts', 'SIGTERM'],
  ] as const)
    test(`${name} completes jobs and throws BPMN errors`, async (t) => {
      const simulator = await simulatorFor(t);
      const folder = join(ROOT, '.longshore', `camunda-docs-${process.pid}-${name}`);
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, name), programOf(name));
      const env = { ...process.env, CAMUNDA_REST_ADDRESS: simulator.url };
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', name], {
        cwd: folder,
        env,
      });
      t.after(() => child.kill('SIGKILL'));
      const ended = once(child, 'exit');
      const [small = '', large = ''] = begin(
        simulator,
        [{ type: 'charge-card', catches: 'LIMIT' }],
        [{ amount: 12 }, { amount: 2_000 }],
      );
      await simulator.called(({ path }) => path.endsWith('/completion'));
      await simulator.called(({ path }) => path.endsWith('/error'));
      const { instances } = simulator.engine;
      assert.deepEqual(instances.get(small)?.variables, { amount: 12, receipt: 'R-12' });
      assert.deepEqual(
        [instances.get(large)?.state, instances.get(large)?.variables],
        ['COMPLETED', { amount: 2_000 }],
      );
      child.kill(ends);
      const [code] = (await ended) as [number | null];
      if (ends === 'SIGTERM') assert.equal(code, 0);
    });
});

/** With imports of the sources in place of the package. */
function programOf(name: string): string {
  const block = [...PAGE.matchAll(/```ts\n([\s\S]*?)```/g)].find(([, text]) =>
    text?.startsWith(`// ${name}\n`),
  );
  const source = (path: string): string => new URL(`../../src/${path}`, import.meta.url).href;
  return (block?.[1] ?? assert.fail(`docs/camunda.md has no program ${name}`))
    .replaceAll("'longshore/camunda'", `'${source('connectors/camunda/index.ts')}'`)
    .replaceAll("'longshore'", `'${source('index.ts')}'`);
}
