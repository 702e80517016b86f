/** The programs of examples/frameworks, one per web framework, run as they stand. Their packages are installed once a checkout. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { readyFrameworkExamples } from '../../setup/example-packages.mjs';
import { tool } from '../../setup/tools.mjs';
import { temporaryFolder } from '../stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'examples/frameworks');
const LINES_MAX = 50;
/** No programs of their own. */
const SHARED = ['client.ts', 'tasks.ts'];

/** Decorators are no types that Node could strip. */
const TSX = ['--import', pathToFileURL(join(FOLDER, 'node_modules/tsx/dist/loader.mjs')).href];

/** All serve alike. */
const EXPECTED = `
202 { id: '...' }
200 { state: 'completed', result: { sentTo: 'ada@example.org' } }
422 { code: 'INPUT_INVALID' }
200 true
`;

describe('the examples of web frameworks', { concurrency: 2 }, () => {
  before(() => readyFrameworkExamples(ROOT));

  test('compile against the types of their frameworks', async () => {
    await promisify(execFile)(process.execPath, [tool('tsc'), '-p', FOLDER], { cwd: ROOT }).catch(
      ({ stdout }: { stdout: string }) => assert.fail(stdout),
    );
  });

  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && !SHARED.includes(name));

  for (const name of names) {
    test(`${name} is short, enqueues, runs a job, and ends by itself`, async (t) => {
      assert.ok(readFileSync(join(FOLDER, name), 'utf8').split('\n').length < LINES_MAX);
      assert.equal(await run(t, name), EXPECTED.trim());
    });
  }
});

async function run(t: TestContext, name: string): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const loader = name === 'nest.ts' ? TSX : [];
  const args = [...loader, '--disable-warning=ExperimentalWarning', join(FOLDER, name)];
  const given = { ...env, TSX_TSCONFIG_PATH: join(FOLDER, 'tsconfig.json') };
  const cwd = await temporaryFolder(t);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env: given });
  assert.equal(stderr, '');
  return stdout.trim();
}
