/** The worker that docs/operaton.md shows runs as it stands there, for the process that the page shows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ended, Sandbox } from '../../cli/longshore.ts';
import { engineFor, type Process } from './server.ts';
import { until } from './until.ts';

const SOURCE = new URL('../../../src/', import.meta.url);
const PAGE = readFileSync(fileURLToPath(new URL('../docs/operaton.md', SOURCE)), 'utf8');

describe('docs/operaton.md', { timeout: 300_000 }, () => {
  test('its worker runs the process that it shows', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t, { model: (name) => renamed(block('xml'), name) });
    const sandbox = new Sandbox(t);
    sandbox.write('worker.ts', renamed(block('ts', 'worker.ts'), process.topic));
    const worker = sandbox.program('worker.ts', { OPERATON_URL: engine.url, OPERATON_WORKER_POLL_MS: '1s' });
    const end = ended(worker);
    const paid = await process.start({ amount: { value: 7 } });
    await process.start({ amount: { value: 7_000 } });
    await process.start({ amount: { value: 'much' } });
    await until(async () => (await done(process)) === 'end 1, declined 1, incidents 1');
    assert.equal((await process.variables(paid)).receipt?.value, 'R-7');
    worker.kill('SIGTERM');
    const { code, stderr } = await end;
    assert.equal(code, 0, stderr);
  });

  test('its table has the variables that there are', async () => {
    const { VARIABLES } = await import('../../../src/connectors/operaton/environment.ts');
    const told = [...PAGE.matchAll(/^\| (`OPERATON_[^|]+)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    assert.deepEqual(told.sort(), [...VARIABLES].sort());
  });
});

function block(language: string, file?: string): string {
  const blocks = [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => text,
  );
  return blocks.find((text) => file === undefined || text.startsWith(`// ${file}\n`)) ?? '';
}

/** The engine is shared: process and topic get names of their own. The package is its sources. */
function renamed(text: string, name: string): string {
  return text
    .replaceAll('charge-card', name)
    .replace('<process id="order"', `<process id="${name}"`)
    .replace("'longshore/operaton'", `'${new URL('connectors/operaton/index.ts', SOURCE).href}'`)
    .replace("'longshore'", `'${new URL('index.ts', SOURCE).href}'`)
    .replace("'zod'", `'${import.meta.resolve('zod')}'`);
}

async function done(process: Process): Promise<string> {
  const [end, declined] = [await process.ended('end'), await process.ended('declined')];
  return `end ${end}, declined ${declined}, incidents ${(await process.incidents()).length}`;
}
