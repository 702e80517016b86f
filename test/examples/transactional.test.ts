/**
 * The programs of examples/transactional, one per database library, run as they stand: each in a database of its own.
 * Their packages are installed once a checkout.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { readyTransactionalExamples } from '../../setup/example-packages.mjs';
import { tool } from '../../setup/tools.mjs';
import { serverUrl } from '../servers.ts';
import { temporaryFolder } from '../stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'examples/transactional');
const LINES_MAX = 45;
/** No programs of their own. */
const SHARED = ['shop.ts', 'prisma.config.ts'];

/** All trade alike: an order is rolled back with its job, the other one's job runs. */
const EXPECTED = `
rolled back: no credit for an order of 500
jobs: 1
receipt for order 1
`;

/** Those that complete jobs. */
const COMPLETED = `
receipt for order 1
order of 20: 1
order of 500: no credit for an order of 500
`;

describe('the transactional examples', { concurrency: 2 }, () => {
  before(() => readyTransactionalExamples(ROOT));

  test('compile against the types of their libraries', async () => {
    await promisify(execFile)(process.execPath, [tool('tsc'), '-p', FOLDER], { cwd: ROOT }).catch(
      ({ stdout }: { stdout: string }) => assert.fail(stdout),
    );
  });

  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && !SHARED.includes(name));

  for (const name of names) {
    test(`${name} is short, runs, and ends by itself`, async (t) => {
      assert.ok(readFileSync(join(FOLDER, name), 'utf8').split('\n').length < LINES_MAX);
      const expected = (name.startsWith('complete-') ? COMPLETED : EXPECTED).trim();
      if (name.endsWith('sqlite.ts')) {
        assert.equal(await run(name, { cwd: await temporaryFolder(t) }), expected);
        return;
      }
      const url = await freshDatabase(t, name);
      if (url !== undefined) assert.equal(await run(name, { url }), expected);
    });
  }

  test('all libraries take every text, and refuse what is no transaction', async (t) => {
    const url = await freshDatabase(t, 'proof');
    if (url !== undefined)
      assert.match(await run('proof/every-library.ts', { url }), /^11 libraries and ways\b/);
  });
});

/** Dropped when the test ends. Undefined where there is no server, and then the test is skipped. */
async function freshDatabase(t: TestContext, name: string): Promise<string | undefined> {
  const server = await serverUrl(t, 'postgres');
  if (server === undefined) return undefined;
  const database = `longshore_${name.replaceAll(/\W/g, '_')}_${process.pid}`;
  const query = async (text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    await client.query(text);
    await client.end();
  };
  await query(`CREATE DATABASE ${database}`);
  t.after(() => query(`DROP DATABASE ${database}`));
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

async function run(name: string, { cwd = FOLDER, url }: { cwd?: string; url?: string }): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ['--disable-warning=ExperimentalWarning', join(FOLDER, name)];
  const given = url === undefined ? env : { ...env, DATABASE_URL: url };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env: given });
  assert.equal(stderr, '');
  return stdout.trim();
}
