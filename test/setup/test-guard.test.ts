/** `npm test` in a checkout of its own: what makes a run fail beside a failing test. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Checkout, type RunEnd } from './checkout.ts';

function runTest(t: TestContext, body: string): Promise<RunEnd> {
  const checkout = new Checkout(t).installed();
  checkout.write('test/a.test.ts', `import test from 'node:test';\n${body}\n`);
  return checkout.run(['test'], { env: { LONGSHORE_TEST_GRACE_MS: '500' } });
}

test('a run whose tests pass ends well, with the summary of the runner last', async (t) => {
  const end = await runTest(t, "test('passes', () => {});");
  assert.equal(end.code, 0);
  assert.match(end.stdout, /pass 1\n.*fail 0\n.*\n.*\n.*\n.*duration_ms [\d.]+\n$/);
});

test('a failing test fails the run', async (t) => {
  const end = await runTest(t, "test('fails', () => { throw new Error('no'); });");
  assert.equal(end.code, 1);
});

test('a timer that is left running fails the run and is named', async (t) => {
  const end = await runTest(t, "test('leaks', () => { setInterval(() => {}, 60_000); });");
  assert.equal(end.code, 1);
  assert.match(
    end.stdout,
    /something still keeps the process alive \(active according to Node: [^)]*Timeout\)/,
  );
});

test('a worker thread that is left running fails the run', async (t) => {
  const end = await runTest(
    t,
    `import { Worker } from 'node:worker_threads';
     test('leaks', () => { new Worker('setInterval(() => {}, 60_000)', { eval: true }); });`,
  );
  assert.equal(end.code, 1);
});

test('a run without test files fails', async (t) => {
  const end = await new Checkout(t).installed().run(['test']);
  assert.equal(end.code, 1);
  assert.equal(end.stderr, 'npm test: no *.test.ts file in test\n');
});
