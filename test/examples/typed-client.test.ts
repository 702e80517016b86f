/** A client whose types are made from the served OpenAPI document compiles, and works against the real server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readyPackages } from '../../setup/own-packages.mjs';
import { tool } from '../../setup/tools.mjs';
import { openServer } from '../../src/http/server.ts';
import { connect, defineTask } from '../../src/index.ts';
import { temporaryFolder } from '../stage.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'examples/typed-client');
const run = promisify(execFile);

const welcome = defineTask<{ email: string }, { sentTo: string }>({
  name: 'welcome',
  run: ({ input }) => ({ sentTo: input.email }),
});

describe('the example of a typed client', () => {
  before(() => readyPackages(FOLDER));

  test('openapi-typescript makes types of the served document, and it compiles with them', async (t) => {
    const longshore = await connect('memory:', { logger: false });
    t.after(() => longshore.close());
    const request = new Request('http://localhost/openapi.json');
    const document = await longshore.http()(request, { remoteAddress: '127.0.0.1' });
    const given = join(await temporaryFolder(t), 'openapi.json');
    writeFileSync(given, await document.text());
    const program = join(FOLDER, 'node_modules/openapi-typescript/bin/cli.js');
    await run(process.execPath, [program, given, '-o', join(FOLDER, 'api.d.ts')], { cwd: FOLDER });
    await run(process.execPath, [tool('tsc'), '--noEmit', '-p', FOLDER], { cwd: ROOT }).catch(
      ({ stdout }: { stdout: string }) => assert.fail(stdout),
    );
  });

  test('it makes a job, awaits it, lists and is refused', async (t) => {
    const longshore = await connect('memory:', { logger: false });
    t.after(() => longshore.close());
    await longshore.worker({ tasks: [welcome] }).start();
    const server = await openServer(longshore.http(), { host: '127.0.0.1', port: 0 });
    t.after(() => server.close(0));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const given = { ...env, LONGSHORE_URL: `${server.url}/api/v1` };
    const { stdout } = await run(process.execPath, [join(FOLDER, 'client.ts')], { env: given });
    const lines = ["completed { sentTo: 'ada@example.org' }", '[]', '409 JOB_STATE_REFUSED'];
    assert.equal(stdout.trim(), lines.join('\n'));
  });
});
