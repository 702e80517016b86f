import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { COMMANDS } from '../../src/cli/commands.ts';
import { VERSION } from '../../src/version.ts';
import { Sandbox } from './longshore.ts';

test('--version prints the version', async (context) => {
  const sandbox = new Sandbox(context);
  for (const flag of ['--version', '-V']) {
    assert.deepEqual(await sandbox.run([flag]), { code: 0, stdout: `${VERSION}\n`, stderr: '' });
  }
});

test('--help lists every command, on standard output; no arguments at all on standard error, with 1', async (context) => {
  const sandbox = new Sandbox(context);
  const help = await sandbox.run(['--help']);
  assert.deepEqual([help.code, help.stderr], [0, '']);
  for (const { name } of COMMANDS) assert.match(help.stdout, new RegExp(`^ {2}${name} {2,}\\S`, 'm'));
  const none = await sandbox.run([]);
  assert.deepEqual([none.code, none.stdout, none.stderr], [1, '', help.stdout]);
});

test('the help of each command has its options, the global ones and an example', async (context) => {
  const sandbox = new Sandbox(context);
  for (const { name } of COMMANDS) {
    const { code, stdout } = await sandbox.run([name, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: longshore ${name}\\b`));
    // The kit's stores are settings of its commands.
    if (name !== 'bench') assert.match(stdout, /--store <url>/);
    assert.match(stdout, new RegExp(`^Examples?:\\n {2}\\$ .*longshore ${name}`, 'm'), name);
  }
  assert.equal((await sandbox.run(['help', 'jobs'])).stdout, (await sandbox.run(['jobs', '--help'])).stdout);
});

test('an unknown command or option is refused with 2, the nearest and where to read more', async (context) => {
  const sandbox = new Sandbox(context);
  const command = await sandbox.run(['jbos']);
  assert.deepEqual(command, {
    code: 2,
    stdout: '',
    stderr:
      "error USAGE: unknown command 'jbos' (Did you mean jobs?)\nRun longshore --help for what there is.\n",
  });
  assert.equal((await sandbox.run(['help', 'jbos'])).stderr, command.stderr);
  const option = await sandbox.run(['jobs', '--limti', '5']);
  assert.equal(option.code, 2);
  assert.match(
    option.stderr,
    /unknown option '--limti' \(Did you mean --limit\?\)\nRun longshore jobs --help/,
  );
});

test('with --json a failure is one JSON document, wrong usage included', async (context) => {
  const sandbox = new Sandbox(context);
  const { code, stdout } = await sandbox.run(['jobs', '--frob', '--json']);
  assert.equal(code, 2);
  const { error } = JSON.parse(stdout) as { error: { code: string; exitCode: number } };
  assert.deepEqual([error.code, error.exitCode], ['USAGE', 2]);
});

test('global options are understood before and after the command', async (context) => {
  const sandbox = new Sandbox(context);
  const env = { LONGSHORE_STORE: '' };
  await sandbox.run(['--store', 'sqlite:other.db', 'enqueue', 'add', '1'], { env });
  const { stdout } = await sandbox.run(['jobs', '--store=sqlite:other.db', '--json'], { env });
  assert.equal((JSON.parse(stdout) as { jobs: unknown[] }).jobs.length, 1);
});

const STORES: readonly (readonly [what: string, args: readonly string[], code: number, message: RegExp])[] = [
  [
    'none',
    ['jobs'],
    2,
    /USAGE: No store is given\. Use --store sqlite:jobs\.db, set LONGSHORE_STORE=sqlite:jobs\.db/,
  ],
  [
    'an unknown kind',
    ['jobs', '--store', 'mysql://x'],
    2,
    /STORE_URL_INVALID: There is no store of kind "mysql"; this version knows memory:, sqlite:/,
  ],
  [
    'a plain path',
    ['jobs', '--store', 'jobs.db'],
    2,
    /STORE_URL_INVALID: The store URL is "jobs\.db"; expected one that starts with .* e\.g\. sqlite:jobs\.db/,
  ],
  [
    'a file that is not there',
    ['jobs', '--store', 'sqlite:typo.db'],
    1,
    /STORE_UNAVAILABLE: There is no database file typo\.db\. Check --store/,
  ],
  [
    'a folder that is not there',
    ['enqueue', 'add', '--store', 'sqlite:no/jobs.db'],
    1,
    /STORE_UNAVAILABLE: The folder .*no does not exist/,
  ],
  [
    'a file that is no database',
    ['jobs', '--store', 'sqlite:text.db'],
    1,
    /STORE_CORRUPT: .*text\.db is not an SQLite database/,
  ],
];

for (const [what, args, code, message] of STORES) {
  test(`the store: ${what}`, async (context) => {
    const sandbox = new Sandbox(context);
    sandbox.write(
      'text.db',
      'this is text, not a database, and long enough to be looked at as a header\n'.repeat(20),
    );
    const ended = await sandbox.run(args, { env: { LONGSHORE_STORE: '' } });
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
    assert.doesNotMatch(ended.stderr, /^ +at /m);
  });
}

test('looking does not make a database', async (context) => {
  const sandbox = new Sandbox(context);
  for (const args of [['jobs'], ['queues'], ['workers'], ['doctor'], ['migrate', '--dry-run']])
    await sandbox.run(args);
  const { stderr } = await sandbox.run(['jobs']);
  assert.match(stderr, /There is no database file/);
});

test('--verbose and LONGSHORE_DEBUG print the stack', async (context) => {
  const sandbox = new Sandbox(context);
  assert.match((await sandbox.run(['jobs', '--verbose'])).stderr, /^ +at .*session/m);
  assert.match((await sandbox.run(['jobs'], { env: { LONGSHORE_DEBUG: '1' } })).stderr, /^ +at .*session/m);
});

test('a reader that goes away (| head) ends the program quietly', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.json(['enqueue', 'add', '--lines'], {
    input: '"a long enough input to fill more than a pipe"\n'.repeat(3_000),
  });
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const command = `"${process.execPath}" "${main}" jobs --all --store sqlite:jobs.db | head -n 1`;
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], { cwd: sandbox.folder });
  assert.match(stdout, /^ID +STATE.*\n$/);
  assert.equal(stderr, '');
});
