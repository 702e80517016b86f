/** What `setup/run.mjs` passes on in a checkout where everything is installed. */
import assert from 'node:assert/strict';
import { delimiter, dirname, join } from 'node:path';
import test from 'node:test';
import { Checkout } from './checkout.ts';

const PROGRAM = 'src/cli/main.ts';

test('arguments reach the program as they are', async (t) => {
  const checkout = new Checkout(t).installed();
  checkout.write(PROGRAM, 'console.log(JSON.stringify(process.argv.slice(2)))');
  const args = ['--json', '--', '-x', 'two words', '', '$HOME', '"'];
  const end = await checkout.run(['longshore', ...args]);
  assert.deepEqual(JSON.parse(end.stdout), args);
});

test('start runs the example, bench the bench', async (t) => {
  const checkout = new Checkout(t).installed();
  checkout.write('examples/folder-report/main.ts', "console.log('example', process.argv[2])");
  checkout.write('bench/src/main.ts', "console.log('bench', process.argv[2])");
  assert.equal((await checkout.run(['start', '--help'])).stdout, 'example --help\n');
  assert.equal((await checkout.run(['bench', 'burndown'])).stdout, 'bench burndown\n');
});

test('a ready checkout adds nothing to either output, and installs nothing', async (t) => {
  const checkout = new Checkout(t).installed();
  checkout.write(PROGRAM, "import { DatabaseSync } from 'node:sqlite';\nconsole.log(typeof DatabaseSync)");
  const end = await checkout.run(['longshore']);
  assert.deepEqual(end, { code: 0, signal: null, stdout: 'function\n', stderr: '' });
  assert.deepEqual(checkout.npmCalls(), []);
});

test('the exit code is the one of the program', async (t) => {
  const checkout = new Checkout(t).installed();
  checkout.write(PROGRAM, 'process.exitCode = Number(process.argv[2])');
  assert.equal((await checkout.run(['longshore', '0'])).code, 0);
  assert.equal((await checkout.run(['longshore', '3'])).code, 3);
  assert.equal((await checkout.run(['longshore', '130'])).code, 130);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`two copies of ${signal} reach the program as one, which decides how it ends`, async (t) => {
    const checkout = new Checkout(t).installed();
    checkout.write(PROGRAM, STOPS_BY_ITSELF);
    const run = checkout.start(['longshore']);
    await run.printed('ready');
    run.process.kill(signal);
    await run.printed(signal);
    run.process.kill(signal);
    run.process.kill('SIGHUP');
    const end = await run.end;
    assert.deepEqual([end.code, end.signal, end.stdout], [7, null, `ready\n${signal}\nSIGHUP\n`]);
  });

  test(`a program that ${signal} ends makes the script end by ${signal}`, async (t) => {
    const checkout = new Checkout(t).installed();
    checkout.write(PROGRAM, "console.log('ready');\nsetInterval(() => {}, 1_000)");
    const run = checkout.start(['longshore']);
    await run.printed('ready');
    run.process.kill(signal);
    const end = await run.end;
    assert.deepEqual([end.code, end.signal], [null, signal]);
  });
}

test('installed tools and the chosen Node come first in PATH', async (t) => {
  const checkout = new Checkout(t).installed();
  checkout.write(PROGRAM, 'console.log(process.env.PATH)');
  const end = await checkout.run(['longshore'], { env: { PATH: '/somewhere' } });
  assert.deepEqual(end.stdout.trim().split(delimiter), [
    join(checkout.root, 'node_modules', '.bin'),
    dirname(process.execPath),
    '/somewhere',
  ]);
});

test('an unknown command names the known ones', async (t) => {
  const checkout = new Checkout(t).installed();
  for (const name of ['strat', 'constructor']) {
    const end = await checkout.run([name]);
    assert.equal(end.code, 1);
    assert.match(end.stderr, new RegExp(`unknown command "${name}"; use start, longshore, bench, test`));
    assert.equal(end.stdout, '');
  }
});

const STOPS_BY_ITSELF = `
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => console.log(signal));
// Late enough for a copy that should not have come.
process.on('SIGHUP', () => setTimeout(() => process.exit(7), 50));
setInterval(() => {}, 1_000);
console.log('ready');
`;
