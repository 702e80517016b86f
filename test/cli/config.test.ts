import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sandbox, TASKS } from './longshore.ts';

const NO_STORE = { LONGSHORE_STORE: '' };

/** The slots a worker gets, which tells where its settings come from. */
async function slots(
  sandbox: Sandbox,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const { stdout, stderr, code } = await sandbox.run(['work', '--until-idle', '--json', ...args], { env });
  if (code !== 0) throw new Error(stderr);
  const started = JSON.parse(stdout.split('\n')[0] ?? '') as { event: string; slots: number };
  assert.equal(started.event, 'worker.started');
  return started.slots;
}

test('flags win over the config file, the file over the environment, that over the defaults', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const env = { LONGSHORE_TASKS: 'tasks' };
  assert.equal(await slots(sandbox, [], env), 10);
  const all = { ...env, LONGSHORE_CONCURRENCY: '3' };
  assert.equal(await slots(sandbox, [], all), 3);
  sandbox.write('longshore.config.ts', 'const concurrency: number = 4;\nexport default { concurrency };');
  assert.equal(await slots(sandbox, [], all), 4);
  assert.equal(await slots(sandbox, ['--concurrency', '5'], all), 5);
});

test('store and tasks of a config file start at its folder', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('app/tasks/all.ts', TASKS);
  sandbox.write('app/longshore.config.json', '{ "store": "sqlite:mine.db", "tasks": "tasks" }');
  const config = ['--config', 'app/longshore.config.json'];
  await sandbox.json(['enqueue', 'add', '{"a":1,"b":2}', ...config], { env: NO_STORE });
  const { jobs } = await sandbox.json<{ jobs: unknown[] }>(['jobs', '--store', 'sqlite:app/mine.db'], {
    env: NO_STORE,
  });
  assert.equal(jobs.length, 1);
  const refused = await sandbox.run(['enqueue', 'add', '{"a":1}', ...config], { env: NO_STORE });
  assert.match(refused.stderr, /INPUT_INVALID/);
});

test('a key ring in the config file opens payloads', async (context) => {
  const sandbox = new Sandbox(context);
  const key = Buffer.alloc(32, 7).toString('base64');
  sandbox.write(
    'with.mjs',
    `export default { encryption: { keys: [{ id: 'k1', key: Buffer.from('${key}', 'base64') }] } };`,
  );
  const id = await sandbox.enqueue('add', '"secret"', '--config', 'with.mjs');
  assert.equal((await sandbox.json(['job', id, '--config', 'with.mjs'])).input, 'secret');
  assert.notEqual((await sandbox.json(['job', id])).input, 'secret');
});

const WRONG: readonly (readonly [what: string, file: string, text: string, code: number, message: RegExp])[] =
  [
    [
      'a setting that is none',
      'longshore.config.json',
      '{ "concurency": 3 }',
      2,
      /OPTION_INVALID: longshore\.config\.json: there is no setting "concurency"; did you mean "concurrency"\?/,
    ],
    [
      'JSON that is none',
      'longshore.config.json',
      '{ "store": }',
      2,
      /PAYLOAD_NOT_JSON: longshore\.config\.json is not JSON: unexpected "}" at line 1, column 12/,
    ],
    [
      'no object',
      'longshore.config.mjs',
      'export const store = 1;',
      2,
      /OPTION_INVALID: the default export of longshore\.config\.mjs is undefined; expected an object/,
    ],
    [
      'a store that is no text',
      'longshore.config.json',
      '{ "store": 1 }',
      2,
      /OPTION_INVALID: longshore\.config\.json: store is 1; expected a text/,
    ],
    [
      'a file that throws',
      'longshore.config.ts',
      'throw new Error("oh");',
      1,
      /TASKS_UNLOADABLE: The config file longshore\.config\.ts:1 cannot be loaded: Error: oh\./,
    ],
  ];

for (const [what, file, text, code, message] of WRONG) {
  test(`a config file with ${what} is refused`, async (context) => {
    const sandbox = new Sandbox(context);
    sandbox.write(file, text);
    const ended = await sandbox.run(['jobs']);
    assert.match(ended.stderr, message);
    assert.equal(ended.code, code);
  });
}

test('a config file that is named must exist', async (context) => {
  const sandbox = new Sandbox(context);
  const { code, stderr } = await sandbox.run(['jobs', '--config', 'none.json']);
  assert.equal(code, 2);
  assert.match(stderr, /OPTION_INVALID: --config is "none\.json"; expected the path of a file that exists/);
});

test('a wrong value in the config file or the environment names the setting', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const variable = await sandbox.run(['work', '--tasks', 'tasks'], {
    env: { LONGSHORE_CONCURRENCY: 'many' },
  });
  assert.deepEqual([variable.code, /LONGSHORE_CONCURRENCY is "many"/.test(variable.stderr)], [2, true]);
  sandbox.write('longshore.config.json', '{ "leaseMs": 5 }');
  const setting = await sandbox.run(['work', '--tasks', 'tasks']);
  assert.deepEqual([setting.code, /leaseMs is 5; expected at least 500/.test(setting.stderr)], [2, true]);
});
