/** What `setup/run.mjs` installs, when, and what it says. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Checkout } from './checkout.ts';

const OLD = 'v20.11.1';
const CI = 'ci --include=dev --ignore-scripts --engine-strict=false';

function fresh(...args: ConstructorParameters<typeof Checkout>): Checkout {
  const checkout = new Checkout(...args);
  checkout.write('src/cli/main.ts', "console.log('through', process.env.THROUGH ?? 'own')");
  return checkout;
}

function nodeInstall(root: string, name: string): string {
  return `install --prefix ${join(root, 'node_modules', '.runtime')} --no-save --no-package-lock ${name}@24`;
}

test('a fresh clone gets its packages by npm ci, says so in one line, and not again', async (t) => {
  const checkout = fresh(t);
  const first = await checkout.run(['longshore']);
  assert.equal(first.stderr, 'set-up: installing the packages of package-lock.json into node_modules\n');
  assert.equal(first.stdout, 'through own\n');
  const second = await checkout.run(['longshore']);
  assert.deepEqual([second.stderr, second.stdout], ['', 'through own\n']);
  assert.deepEqual(checkout.npmCalls(), [CI]);
});

test('a changed lock file is installed again', async (t) => {
  const checkout = fresh(t).installed();
  checkout.write('package-lock.json', '{ "packages": { "node_modules/b": { "version": "1.0.0" } } }');
  await checkout.run(['longshore']);
  await checkout.run(['longshore']);
  assert.deepEqual(checkout.npmCalls(), [CI]);
});

test('packages that npm itself installed are taken as they are, if they are those of the lock file', async (t) => {
  const lock = (version: string) =>
    JSON.stringify({
      packages: {
        '': { name: 'root' },
        'node_modules/a': { version, integrity: 'sha512-a' },
        'node_modules/for-another-system': { version, optional: true },
      },
    });
  const present = { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } } };
  const checkout = fresh(t);
  checkout.write('node_modules/.package-lock.json', JSON.stringify(present));

  checkout.write('package-lock.json', lock('1.0.0'));
  const adopted = await checkout.run(['longshore']);
  assert.deepEqual([adopted.stdout, adopted.stderr], ['through own\n', '']);
  assert.deepEqual(checkout.npmCalls(), []);

  checkout.write('package-lock.json', lock('1.0.1'));
  await checkout.run(['longshore']);
  assert.deepEqual(checkout.npmCalls(), [CI]);
});

test('an old Node gets a newer one from npm, which runs the program', async (t) => {
  const checkout = fresh(t);
  const env = { NPM_NODE_IN: 'node' };
  const first = await checkout.run(['longshore'], { version: OLD, env });
  assert.equal(
    first.stderr,
    'set-up: installing the packages of package-lock.json and ' +
      'Node 24 (this one is v20.11.1, 22.18.0 or newer is needed) into node_modules\n',
  );
  assert.equal(first.stdout, 'through node\n');
  const second = await checkout.run(['longshore'], { version: OLD, env });
  assert.deepEqual([second.stderr, second.stdout], ['', 'through node\n']);
  assert.deepEqual(checkout.npmCalls(), [CI, nodeInstall(checkout.root, 'node')]);
});

test('only the Node is installed where the packages are current', async (t) => {
  const checkout = fresh(t).installed();
  const end = await checkout.run(['longshore'], { version: OLD, env: { NPM_NODE_IN: 'node' } });
  assert.equal(
    end.stderr,
    'set-up: installing Node 24 (this one is v20.11.1, 22.18.0 or newer is needed) into node_modules\n',
  );
  assert.deepEqual(checkout.npmCalls(), [nodeInstall(checkout.root, 'node')]);
});

test("the platform's package is used where npm did not run the install script of `node`", async (t) => {
  const checkout = fresh(t).installed();
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${process.platform}-${process.arch}`;
  const end = await checkout.run(['longshore'], { version: OLD, env: { NPM_NODE_IN: name } });
  assert.equal(end.stdout, `through ${name}\n`);
  assert.deepEqual(checkout.npmCalls(), [
    nodeInstall(checkout.root, 'node'),
    nodeInstall(checkout.root, name),
  ]);
});

test('where npm has no Node that runs here, the message says what to install by hand', async (t) => {
  const checkout = fresh(t).installed();
  const end = await checkout.run(['longshore'], { version: OLD });
  assert.equal(end.code, 1);
  assert.match(end.stderr, /npm has no Node 24 that runs on .* Install Node 22\.18\.0 or newer by hand/);
  assert.equal(end.stdout, '');
});

test('a failed npm shows its output and what to do, leaves no lock, and is tried again', async (t) => {
  const checkout = fresh(t);
  const failed = await checkout.run(['longshore'], { env: { NPM_FAILS: 'network is down' } });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /npm error network is down\n.*`npm ci .*` failed in .*Check the network/s);
  assert.equal(failed.stdout, '');
  assert.equal(existsSync(join(checkout.root, '.setup-lock')), false);
  assert.equal((await checkout.run(['longshore'])).code, 0);
  assert.deepEqual(checkout.npmCalls(), [CI, CI]);
});

test('of two runs in a fresh clone one installs and the other waits for it', async (t) => {
  const checkout = fresh(t);
  const env = { NPM_WAITS_FOR: join(checkout.root, 'go') };
  const first = checkout.start(['longshore'], { env });
  await first.printed('set-up: installing');
  const second = checkout.start(['longshore'], { env });
  await second.printed(`set-up: waiting for the one that runs already (process ${first.process.pid})`);
  checkout.write('go', '');
  const ends = await Promise.all([first.end, second.end]);
  assert.deepEqual(
    ends.map(({ code, stdout }) => [code, stdout]),
    [
      [0, 'through own\n'],
      [0, 'through own\n'],
    ],
  );
  assert.deepEqual(checkout.npmCalls(), [CI]);
});

test('a set-up that is killed half way is repeated by the next run', async (t) => {
  const checkout = fresh(t);
  const killed = checkout.start(['longshore'], { env: { NPM_WAITS_FOR: join(checkout.root, 'go') } });
  await killed.printed('set-up: installing');
  killed.process.kill('SIGKILL');
  checkout.write('go', '');
  await killed.end;
  const next = await checkout.run(['longshore']);
  assert.deepEqual([next.code, next.stdout], [0, 'through own\n']);
  assert.equal(existsSync(join(checkout.root, '.setup-lock')), false);
});
