/** `npm run check` with tools that only succeed or fail. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Checkout } from './checkout.ts';

function checkout(t: TestContext, tools: { readonly biome: string; readonly tsc: string }): Checkout {
  const made = new Checkout(t).installed();
  for (const [name, folder] of [
    ['biome', '@biomejs/biome'],
    ['tsc', 'typescript'],
  ] as const) {
    made.write(`node_modules/${folder}/package.json`, JSON.stringify({ bin: { [name]: './tool.js' } }));
    made.write(`node_modules/${folder}/tool.js`, tools[name]);
  }
  return made;
}

const TAKES = / \(\d+\.\d s\)/g;

test('each step is one line when all is well', async (t) => {
  const made = checkout(t, { biome: "console.log('noise')", tsc: '' });
  made.write('test/architecture.test.ts', '');
  const end = await made.run(['check']);
  assert.equal(
    end.stdout.replace(TAKES, ''),
    'ok      format and lint\nok      types\nok      types of the page\nok      architecture\n',
  );
  assert.equal(end.code, 0);
});

test('a failing step shows what it said, and the steps after it still run', async (t) => {
  const made = checkout(t, { biome: "console.log('line too long');\nprocess.exitCode = 1", tsc: '' });
  made.write('test/architecture.test.ts', '');
  const end = await made.run(['check']);
  assert.equal(
    end.stdout.replace(TAKES, ''),
    'FAILED  format and lint\nline too long\n\nok      types\nok      types of the page\nok      architecture\n',
  );
  assert.equal(end.code, 1);
});

test('a failing or a missing architecture test fails the check', async (t) => {
  const made = checkout(t, { biome: '', tsc: '' });
  const missing = await made.run(['check']);
  assert.match(missing.stdout, /FAILED {2}architecture.*\n.*architecture\.test\.ts is missing/);
  assert.equal(missing.code, 1);

  made.write('test/architecture.test.ts', "throw new Error('a cycle')");
  const failing = await made.run(['check']);
  assert.match(failing.stdout, /FAILED {2}architecture.*a cycle/s);
  assert.equal(failing.code, 1);
});
