/** `npm run docs` makes a page of each thing that the package exports. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PAGES: Readonly<Record<string, RegExp>> = {
  'functions/index.connect.html': /sqlite:jobs\.db/,
  'functions/index.defineTask.html': /defineTask/,
  'interfaces/index.Worker.html': /runUntilIdle/,
  'classes/testing.FakeClock.html': /advance/,
};

test('npm run docs makes pages for what the package exports, without a warning', async (t) => {
  const out = await temporaryFolder(t);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = [join(ROOT, 'setup/docs.mjs'), out];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  assert.doesNotMatch(stdout, /warning/);
  for (const [page, says] of Object.entries(PAGES)) assert.match(readFileSync(join(out, page), 'utf8'), says);
});
