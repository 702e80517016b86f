import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isId } from '../../src/core/ids.ts';
import { Sandbox, TASKS } from './longshore.ts';

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly queue: string;
  readonly priority: number;
  readonly attemptsMax: number;
  readonly dueAt: number;
  readonly createdAt: number;
  readonly input: unknown;
  readonly uniqueKey: string | null;
}

async function jobsIn(sandbox: Sandbox): Promise<Listed[]> {
  return (await sandbox.json<{ jobs: Listed[] }>(['jobs'])).jobs;
}

test('enqueue prints the id alone on standard output, so that a shell can keep it', async (context) => {
  const sandbox = new Sandbox(context);
  const { code, stdout, stderr } = await sandbox.run(['enqueue', 'add', '{"a":1,"b":2}']);
  assert.equal(code, 0);
  assert.ok(isId(stdout.trimEnd()), stdout);
  assert.equal(stderr, '');
  const [job] = await jobsIn(sandbox);
  assert.deepEqual(job?.input, { a: 1, b: 2 });
});

test('every option of enqueue reaches the job', async (context) => {
  const sandbox = new Sandbox(context);
  const options = [
    '--queue',
    'mail',
    '--priority',
    '-5',
    '--delay',
    '1h',
    '--attempts',
    '7',
    '--unique',
    'k',
  ];
  const { id, status, task } = await sandbox.json(['enqueue', 'send', '1', ...options]);
  assert.deepEqual([status, task], ['created', 'send']);
  const [job] = await jobsIn(sandbox);
  assert.ok(job !== undefined);
  const { queue, priority, attemptsMax, state, uniqueKey } = job;
  assert.deepEqual(
    { id: job.id, queue, priority, attemptsMax, state },
    {
      id,
      queue: 'mail',
      priority: -5,
      attemptsMax: 7,
      state: 'scheduled',
    },
  );
  assert.equal(job.dueAt - job.createdAt, 3_600_000);
  assert.equal(uniqueKey, 'k');
});

test('--at takes a time, and priorities have names', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('send', '--at', '2100-01-31T09:00:00Z', '--priority', 'high');
  const [job] = await jobsIn(sandbox);
  assert.equal(job?.dueAt, Date.UTC(2100, 0, 31, 9));
  assert.equal(job?.priority, -10);
  assert.equal(job?.input, undefined);
});

test('--at is local time unless it names a time zone, and says what was understood', async (context) => {
  const sandbox = new Sandbox(context);
  const env = { TZ: 'America/New_York' };
  for (const [at, time, said] of [
    ['2100-01-31', Date.UTC(2100, 0, 31, 5), '2100-01-31 00:00:00 -05:00'],
    ['2100-01-31T02:30', Date.UTC(2100, 0, 31, 7, 30), '2100-01-31 02:30:00 -05:00'],
    ['2100-07-01 02:30:15', Date.UTC(2100, 6, 1, 6, 30, 15), '2100-07-01 02:30:15 -04:00'],
    ['2100-01-31T02:30+01:00', Date.UTC(2100, 0, 31, 1, 30), '2100-01-30 20:30:00 -05:00'],
    ['2100-01-31T02:30Z', Date.UTC(2100, 0, 31, 2, 30), '2100-01-30 21:30:00 -05:00'],
  ] as const) {
    const { stdout, stderr } = await sandbox.run(['enqueue', 'send', '--at', at], { env });
    assert.ok(stderr.startsWith(`Not before ${said} (in `), `${at}: ${stderr}`);
    const job = await sandbox.json<{ dueAt: number }>(['job', stdout.trim()]);
    assert.equal(job.dueAt, time, at);
  }
  const told = await sandbox.json(['enqueue', 'send', '--at', '2100-01-31'], { env });
  assert.equal(told.at, '2100-01-31T05:00:00.000Z');
  for (const wrong of ['2100-02-30', '2100-01-31T25:00', '2100-01-31 noon', '2100-01-31T02:30 GMT+1']) {
    const { code, stderr } = await sandbox.run(['enqueue', 'send', '--at', wrong], { env });
    assert.equal(code, 2, wrong);
    assert.match(stderr, /OPTION_INVALID: --at is "/);
  }
});

test("with --tasks the task's schema checks the input, and its defaults count", async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const refused = await sandbox.run(['enqueue', 'add', '{"a":1,"b":"x"}', '--tasks', 'tasks']);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^error INPUT_INVALID: The input of task "add" does not match its schema: b: .*\(got "x"\)/,
  );
  await sandbox.enqueue('hold', '--tasks', 'tasks');
  const jobs = await jobsIn(sandbox);
  assert.deepEqual(
    jobs.map(({ queue }) => queue),
    ['slow'],
  );
});

test('a task that the task files do not have is enqueued with a warning that names the nearest', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const { code, stdout, stderr } = await sandbox.run(['enqueue', 'ad', '1', '--tasks', 'tasks']);
  assert.equal(code, 0);
  assert.ok(isId(stdout.trimEnd()));
  assert.match(
    stderr,
    /task "ad" is not among the 3 tasks found, so its input is not checked\. Did you mean add\?/,
  );
});

test('--lines enqueues one job a line, in order, skipping blank lines', async (context) => {
  const sandbox = new Sandbox(context);
  const input = Array.from({ length: 2_500 }, (_, at) => `{"at":${at}}\n${at % 100 === 0 ? '\n' : ''}`).join(
    '',
  );
  const { enqueued, ids } = await sandbox.json<{ enqueued: number; ids: string[] }>(
    ['enqueue', 'add', '--lines'],
    { input },
  );
  assert.equal(enqueued, 2_500);
  assert.equal(new Set(ids).size, 2_500);
  const [last] = await jobsIn(sandbox);
  assert.deepEqual([last?.id, last?.input], [ids.at(-1), { at: 2_499 }]);
});

test('a line that is not JSON is named with its column, and its batch is not enqueued', async (context) => {
  const sandbox = new Sandbox(context);
  const { code, stderr } = await sandbox.run(['enqueue', 'add', '--lines'], { input: '{"a":1}\n\n{"a":}\n' });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /PAYLOAD_NOT_JSON: Line 3 is not JSON: unexpected "}" at line 1, column 6\. Nothing was enqueued\./,
  );
  assert.deepEqual(await jobsIn(sandbox), []);
});

test('a line that the schema refuses is named, with what was enqueued before', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const lines = [...new Array(1_000).fill('{"a":1,"b":1}'), '{"a":1}'];
  const { code, stdout, stderr } = await sandbox.run(['enqueue', 'add', '--lines', '--tasks', 'tasks'], {
    input: lines.join('\n'),
  });
  assert.equal(code, 1);
  assert.equal(stdout.trimEnd().split('\n').length, 1_000);
  assert.match(stderr, /INPUT_INVALID: Line 1001: .* b: .* Of the lines before, 1000 were enqueued\./);
});

test('- reads the input from standard input; a pipe of a shell is read unasked', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.json(['enqueue', 'add', '-'], { input: '{"from":\n"stdin"}' });
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  await promisify(execFile)(
    'sh',
    ['-c', `echo '"piped"' | "${process.execPath}" "${main}" enqueue add --store sqlite:jobs.db`],
    {
      cwd: sandbox.folder,
    },
  );
  assert.deepEqual(
    (await jobsIn(sandbox)).map(({ input }) => input),
    ['piped', { from: 'stdin' }],
  );
  const empty = await sandbox.run(['enqueue', 'add', '-'], { input: ' \n' });
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /Standard input is empty/);
});

test('a unique key that is held is an error in mode reject and an id in mode existing', async (context) => {
  const sandbox = new Sandbox(context);
  const id = await sandbox.enqueue('send', '1', '--unique', 'k');
  const refused = await sandbox.run(['enqueue', 'send', '2', '--unique', 'k', '--unique-mode', 'reject']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, new RegExp(`^error UNIQUE_CONFLICT: Job ${id} \\(ready\\) already holds`));
  const existing = await sandbox.json(['enqueue', 'send', '3', '--unique', 'k', '--unique-mode', 'existing']);
  assert.deepEqual(existing, { id, status: 'existing', task: 'send' });
});

test('--wait prints the result, and ends with 1 when the job fails or does not end in time', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const worker = sandbox.start(['work', '--tasks', 'tasks', '--queue', 'default', '--log-level', 'silent']);
  const [done, failed, late] = await Promise.all([
    sandbox.json(['enqueue', 'add', '{"a":1,"b":2}', '--wait']),
    sandbox.run(['enqueue', 'refuse', '--wait']),
    sandbox.run(['enqueue', 'hold', '--queue', 'nobody', '--wait', '--timeout', '50ms']),
  ]);
  assert.deepEqual([done.state, done.result], ['completed', { sum: 3 }]);
  assert.equal(failed.code, 1);
  assert.match(
    failed.stderr,
    /error JOB_FAILED: Job .* \(task 'refuse', queue 'default'\) failed at attempt 1: UnrecoverableError: not today/,
  );
  assert.equal(late.code, 1);
  assert.match(late.stderr, /error RESULT_TIMEOUT: .* did not end within 50 ms/);
  worker.kill('SIGKILL');
});

const REFUSED: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
  [
    'keys without quotes',
    ['add', '{a:1}'],
    /PAYLOAD_NOT_JSON: The input is not JSON: Expected property name or '}' at line 1, column 2\. Quote JSON for the shell/,
  ],
  [
    'a bare word',
    ['add', 'hello'],
    /unexpected "h" at line 1, column 1\. A string needs its quotes: '"hello"'/,
  ],
  ['JSON over several lines', ['add', '{"a":\n  1,\n  "b": oops}'], /unexpected "o" at line 3, column 8/],
  ['JSON that is cut off', ['add', '{"a":1'], /Expected ',' or '}' after property value at line 1, column 7/],
  [
    'no attempts',
    ['add', '1', '--attempts', '0'],
    /OPTION_INVALID: attempts is 0; expected 1 or more: attempts counts the first run, so 1 means "no retry"/,
  ],
  ['attempts that are no number', ['add', '1', '--attempts', 'many'], /OPTION_INVALID: attempts is "many"/],
  [
    'a negative delay',
    ['add', '1', '--delay', '-5s'],
    /OPTION_INVALID: --delay is "-5s"; expected a duration such as 250ms, 30s/,
  ],
  [
    'a delay and a time',
    ['add', '1', '--delay', '5s', '--at', '2100-01-01'],
    /USAGE: .*--delay <time>.* cannot be used with .*--at/,
  ],
  [
    'a time that is none',
    ['add', '1', '--at', 'tomorrow'],
    /OPTION_INVALID: --at is "tomorrow"; expected a time such as/,
  ],
  [
    'an unknown priority',
    ['add', '1', '--priority', 'urgent'],
    /OPTION_INVALID: priority is "urgent"; expected a 32-bit whole number, or 'high'/,
  ],
  [
    'an unknown unique mode',
    ['add', '1', '--unique-mode', 'maybe'],
    /USAGE: .*'maybe' is invalid\. Allowed choices are reject, existing/,
  ],
  ['no task', [], /USAGE: missing required argument 'task'/],
  ['an input in pieces', ['add', '{"a":', '1}'], /USAGE: too many arguments for 'enqueue'/],
  ['a timeout without a wait', ['add', '1', '--timeout', '1s'], /USAGE: --timeout needs --wait/],
  [
    'an input beside --lines',
    ['add', '1', '--lines'],
    /USAGE: With --lines the inputs come from standard input/,
  ],
];

for (const [what, args, message] of REFUSED) {
  test(`enqueue refuses ${what}, and writes nothing`, async (context) => {
    const sandbox = new Sandbox(context);
    const { code, stdout, stderr } = await sandbox.run(['enqueue', ...args]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /^ +at /m);
  });
}
