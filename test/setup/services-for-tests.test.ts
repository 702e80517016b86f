/** Which servers `npm test` looks for, in a checkout of its own, and what it says where there is none. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Checkout } from './checkout.ts';

const NONE = { CI: '', STORES: '', LONGSHORE_TEST_POSTGRES: 'none', LONGSHORE_TEST_REDIS: 'none' };

const PRINTS = `
import test from 'node:test';
test('servers: ' + process.env.LONGSHORE_TEST_POSTGRES + ' ' + process.env.LONGSHORE_TEST_REDIS, () => {});`;

function checkout(t: TestContext): Checkout {
  const made = new Checkout(t).installed();
  made.write('test/servers.ts', 'export {};');
  made.write('test/place.ts', "import './unrelated.ts';\nimport { a } from './servers.ts';");
  made.write('test/pure.test.ts', PRINTS);
  made.write('test/asks.test.ts', `${PRINTS}\nasync function never() { await import('./place.ts'); }`);
  return made;
}

test('what cannot be had is said at the start and at the end, and its tests go on without', async (t) => {
  const { code, stdout, stderr } = await checkout(t).run(['test'], { env: NONE });
  assert.equal(code, 0);
  assert.match(stdout, /servers: none none/);
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines.length, 4);
  assert.match(lines[0] ?? '', /^npm test: LONGSHORE_TEST_POSTGRES is "none": its tests are skipped\. Set/);
  assert.match(lines[1] ?? '', /^npm test: LONGSHORE_TEST_REDIS is "none"/);
  assert.deepEqual(lines.slice(2), lines.slice(0, 2));
});

test('with CI set a run does not begin without its servers', async (t) => {
  const { code, stdout, stderr } = await checkout(t).run(['test'], { env: { ...NONE, CI: 'true' } });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /no test may be skipped for want of a server\.\n$/);
});

test('files that ask for no server need none, and neither do stores that are left out', async (t) => {
  const made = checkout(t);
  for (const { args, env } of [
    { args: ['test/pure.test.ts'], env: { ...NONE, CI: 'true' } },
    { args: [], env: { ...NONE, CI: 'true', STORES: 'memory,sqlite' } },
  ]) {
    const { code, stderr } = await made.run(['test', ...args], { env });
    assert.deepEqual([code, stderr], [0, '']);
  }
});

test('servers that the environment names are taken as they are', async (t) => {
  const env = { ...NONE, LONGSHORE_TEST_POSTGRES: 'postgres://p', LONGSHORE_TEST_REDIS: 'redis://r' };
  const { code, stdout, stderr } = await checkout(t).run(['test', 'test/asks.test.ts'], { env });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /servers: postgres:\/\/p redis:\/\/r/);
});
