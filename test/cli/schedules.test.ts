import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONGSHORE, Sandbox } from './longshore.ts';

test('schedules are set, shown, paused, run, backfilled and removed', async (context) => {
  const sandbox = new Sandbox(context);
  const set = [
    'set',
    'nightly',
    '--cron',
    '30 2 * * *',
    '--zone',
    'Europe/Zurich',
    '--task',
    'report',
    '--input',
    '{"a":1}',
  ];
  const made = await sandbox.run(['schedules', ...set, '--note', 'for the board']);
  assert.deepEqual([made.code, /^nightly created; next 20\d\d-/.test(made.stdout)], [0, true], made.stderr);
  assert.match(
    (await sandbox.run(['schedules', ...set, '--note', 'for the board'])).stdout,
    /^nightly unchanged/,
  );
  assert.match(
    (await sandbox.run(['schedules'])).stdout,
    /nightly +active +30 2 \* \* \* \(Europe\/Zurich\) +report/,
  );

  await sandbox.run(['schedules', 'pause', 'nightly', '--note', 'until monday', '--by', 'ada']);
  const shown = await sandbox.run(['schedules', 'show', 'nightly']);
  assert.match(shown.stdout, /state +paused[\s\S]*paused +.* by ada: until monday/);
  assert.equal((await sandbox.run(['schedules', 'resume', 'nightly'])).stdout, 'nightly resumed\n');

  const started = await sandbox.json<{ id: string; kind: string }>(['schedules', 'run', 'nightly']);
  assert.equal(started.kind, 'job');
  const span = ['--from', '2030-01-01T00:00:00Z', '--to', '2030-01-04T00:00:00Z', '--max', '2'];
  const filled = await sandbox.json<{ starts: { scheduledAt: number }[]; nextFrom: number }>([
    'schedules',
    'backfill',
    'nightly',
    ...span,
  ]);
  assert.deepEqual(
    [...filled.starts.map(({ scheduledAt }) => scheduledAt), filled.nextFrom],
    [1, 2, 3].map((day) => Date.UTC(2030, 0, day, 1, 30)),
  );
  const found = await sandbox.json<{ state: string; starts: number; next: number[]; input: unknown }>([
    'schedules',
    'show',
    'nightly',
    '--count',
    '3',
  ]);
  assert.deepEqual([found.state, found.starts, found.next.length, found.input], ['active', 3, 3, { a: 1 }]);

  assert.equal((await sandbox.run(['schedules', 'remove', 'nightly'])).stdout, 'nightly removed\n');
  const gone = await sandbox.run(['schedules', 'show', 'nightly']);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /SCHEDULE_UNKNOWN/);
  assert.deepEqual(await sandbox.json(['schedules', '--json']), { schedules: [] });
  assert.deepEqual(
    await sandbox.actions(),
    ['set', 'set', 'pause', 'resume', 'run', 'backfill', 'remove'].map((action) => [
      `${action}Schedule`,
      'nightly',
    ]),
  );
});

test('an expression can be looked at without a store', async (context) => {
  const sandbox = new Sandbox(context);
  const args = ['schedules', 'preview', '30 2 * * *', '--zone', 'Europe/Zurich', '--count', '2'];
  const { code, stdout } = await sandbox.run(args);
  assert.equal(code, 0);
  assert.match(stdout, /^(20\d\d-\d\d-\d\dT0[01]:30:00Z {2}\w+, .* 02:30:00 GMT\+[12]\n){2}$/);
  const every = await sandbox.json<{ ticks: number[] }>(['schedules', 'preview', '--every', '90s']);
  assert.deepEqual([every.ticks.length, (every.ticks[1] ?? 0) - (every.ticks[0] ?? 0)], [5, 90_000]);
});

test('what makes no sense is wrong usage', async (context) => {
  const sandbox = new Sandbox(context);
  for (const [args, message] of [
    [['set', 'x', '--cron', '0 0 30 2 *', '--task', 't'], /OPTION_INVALID.*never does/],
    [['set', 'x', '--cron', '@daily', '--zone', 'Mars/Olympus', '--task', 't'], /OPTION_INVALID.*IANA/],
    [['set', 'x', '--every', '0', '--task', 't'], /OPTION_INVALID.*everyMs/],
    [['set', 'x', '--cron', '@daily'], /needs --task/],
    [['preview', 'every day'], /OPTION_INVALID/],
    [['pause'], /needs a name/],
    [['backfill', 'x'], /--from and --to/],
    [['snooze', 'x'], /no action snooze/],
  ] as const) {
    const { code, stderr } = await sandbox.run(['schedules', ...args]);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
  }
});

test('a worker brings the schedules of the config file into the store', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write(
    'tasks.ts',
    `import { defineTask } from '${LONGSHORE}';
    export const report = defineTask({ name: 'report', queue: 'reports', run: () => 1 });`,
  );
  const config = (schedules: object) =>
    sandbox.write(
      'longshore.config.json',
      JSON.stringify({ tasks: 'tasks.ts', schedules, schedulesOwner: 'app' }),
    );
  const nightly = { cron: '@daily', task: 'report' };
  config({ nightly, once: { at: '2099-01-01T00:00:00Z', task: 'report' } });
  assert.equal((await sandbox.run(['work', '--once'])).code, 0);
  config({ nightly });
  assert.equal((await sandbox.run(['work', '--once'])).code, 0);
  const { schedules } = await sandbox.json<{ schedules: { name: string; state: string; owner: string }[] }>([
    'schedules',
  ]);
  assert.deepEqual(
    schedules.map(({ name, state, owner }) => [name, state, owner]),
    [
      ['nightly', 'active', 'app'],
      ['once', 'orphaned', 'app'],
    ],
  );
  assert.equal((await sandbox.json(['schedules', 'show', 'nightly'])).queue, 'reports');
  config({ nightly: { cron: '@daily', task: 'report', at: 'tomorrow' } });
  assert.match((await sandbox.run(['work', '--once'])).stderr, /OPTION_INVALID.*schedules\.nightly\.at/);
});

test('a schedule of a flow is set by the name that a file exports', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write(
    'tasks/order.ts',
    `import { defineFlow, defineTask } from '${LONGSHORE}';
const step = defineTask({ name: 'step', run: () => 1 });
export const order = defineFlow({ name: 'order', steps: (s) => s.step('one', step) });
`,
  );
  const set = ['schedules', 'set', 'hourly', '--every', '1h', '--flow', 'order', '--tasks', 'tasks'];
  const { code, stdout, stderr } = await sandbox.run(set);
  assert.deepEqual([code, /^hourly created/.test(stdout)], [0, true], stderr);
  assert.equal((await sandbox.json<{ kind: string }>(['schedules', 'run', 'hourly'])).kind, 'run');
});
