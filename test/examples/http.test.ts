/** The programs of examples/frameworks/http, one per web framework, run as they stand: each mounts the HTTP API. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { readyFrameworkExamples } from '../../setup/example-packages.mjs';
import { temporaryFolder } from '../stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGES = join(ROOT, 'examples/frameworks');
const FOLDER = join(PACKAGES, 'http');
const LINES_MAX = 40;

/** Decorators are no types that Node could strip. */
const TSX = ['--import', pathToFileURL(join(PACKAGES, 'node_modules/tsx/dist/loader.mjs')).href];

const EXPECTED = `
201 /api/v1/jobs created
200 /api/v1/jobs/ID ready
422 /api/v1/jobs INPUT_INVALID
404 /api/v1/nothing HTTP_PATH_UNKNOWN
/ops/api/v1
`;

describe('the examples of the HTTP API in web frameworks', { concurrency: 2 }, () => {
  before(() => readyFrameworkExamples(ROOT));

  for (const name of readdirSync(FOLDER).filter((file) => file !== 'client.ts'))
    test(`${name} is short, serves the API below a path, and ends by itself`, async (t) => {
      assert.ok(readFileSync(join(FOLDER, name), 'utf8').split('\n').length < LINES_MAX);
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const loader = name === 'nest.ts' ? TSX : [];
      const args = [...loader, '--disable-warning=ExperimentalWarning', join(FOLDER, name)];
      const given = { ...env, TSX_TSCONFIG_PATH: join(PACKAGES, 'tsconfig.json') };
      const cwd = await temporaryFolder(t);
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env: given });
      assert.equal(stderr, '');
      assert.equal(stdout.trim(), EXPECTED.trim());
    });
});
