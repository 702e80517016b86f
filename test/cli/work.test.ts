import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, lineOf, Sandbox, TASKS } from './longshore.ts';

interface Event {
  readonly event: string;
  readonly at: number;
  readonly id?: string;
  readonly task?: string;
  readonly attempt?: number;
  readonly tally?: Readonly<Record<string, number>>;
  readonly error?: { readonly message: string };
}

function eventsOf(stdout: string): Event[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
}

test('--until-idle runs what is ready with tasks in TypeScript, and ends', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const id = await sandbox.enqueue('add', '{"a":20,"b":22}');
  const { code, stdout, stderr } = await sandbox.run([
    'work',
    '--tasks',
    'tasks',
    '--until-idle',
    '--log-format',
    'pretty',
  ]);
  assert.equal(code, 0);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^longshore {2}sqlite:jobs\.db {2}queues default, slow {2}tasks add, hold, refuse {2}10 slots$/m,
  );
  assert.match(stderr, new RegExp(`^\\d\\d:\\d\\d:\\d\\d {2}completed {2}add {2}${id} {2}.* waited`, 'm'));
  assert.match(stderr, /^Ended: 1 completed\.$/m);
  for (const unwanted of ['ExperimentalWarning', '\u001b']) assert.ok(!stderr.includes(unwanted), stderr);
  assert.deepEqual((await sandbox.json(['job', id])).result, { sum: 42 });
});

test('in a pipe the log is JSON on standard error, with the facts of each event', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const id = await sandbox.enqueue('refuse');
  const { stdout, stderr } = await sandbox.run(['work', '--tasks', 'tasks', '--until-idle']);
  assert.equal(stdout, '');
  const records = eventsOf(stderr) as (Event & { level: number; msg: string })[];
  const failed = records.find(({ event }) => event === 'job.failed');
  assert.deepEqual([failed?.level, failed?.id, failed?.error?.message], [50, id, 'not today']);
  assert.match(failed?.msg ?? '', /^refuse .* failed at attempt 1/);
});

test('--json prints events as lines, and what handlers print does not mix with them', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write(
    'tasks/all.ts',
    `${TASKS}\nexport const loud = defineTask({ name: 'loud', run: () => console.log('hello') });`,
  );
  await sandbox.enqueue('loud');
  const { code, stdout, stderr } = await sandbox.run(['work', '--tasks', 'tasks', '--until-idle', '--json']);
  assert.equal(code, 0);
  const events = eventsOf(stdout);
  const names = events.map(({ event }) => event);
  assert.ok(
    names.includes('worker.started') && names.includes('job.started') && names.includes('job.completed'),
  );
  assert.deepEqual([names.at(-1), events.at(-1)?.tally?.completed], ['work.ended', 1]);
  assert.ok(events.every(({ at }) => at > 1.6e12));
  assert.equal(stderr, 'hello\n');
});

test('--once runs one batch of at most --concurrency jobs', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  await sandbox.json(['enqueue', 'add', '--lines'], { input: '{"a":1,"b":1}\n'.repeat(5) });
  const { stdout } = await sandbox.run([
    'work',
    '--tasks',
    'tasks',
    '--once',
    '--concurrency',
    '2',
    '--json',
  ]);
  assert.equal(eventsOf(stdout).at(-1)?.tally?.completed, 2);
  const both = await sandbox.run(['work', '--tasks', 'tasks', '--once', '--until-idle']);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /cannot be used with/);
});

test('--serial runs in strict order', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const { ids } = await sandbox.json<{ ids: string[] }>(['enqueue', 'add', '--lines'], {
    input: '{"a":1,"b":1}\n'.repeat(20),
  });
  const { stdout } = await sandbox.run(['work', '--tasks', 'tasks', '--serial', '--until-idle', '--json']);
  const moves = eventsOf(stdout).filter(({ event }) => event === 'job.started' || event === 'job.completed');
  assert.deepEqual(
    moves.map(({ event, id }) => `${event} ${id}`),
    ids.flatMap((id) => [`job.started ${id}`, `job.completed ${id}`]),
  );
});

test('SIGTERM drains: running jobs end, the exit code is 0, and the worker is gone from the registry', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const id = await sandbox.enqueue('hold');
  const child = sandbox.start(['work', '--tasks', 'tasks', '--json', '--grace', '1ms']);
  const end = ended(child);
  await lineOf(child.stdout, (line) => line.includes('"job.started"'));
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await end;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Stopping: waits up to 1 ms for 1 running job\. Again to stop at once\.$/m);
  const names = eventsOf(stdout)
    .map(({ event }) => event)
    .filter((name) => name !== 'leader.changed');
  assert.deepEqual(names.slice(names.indexOf('worker.stopping')), [
    'worker.stopping',
    'job.completed',
    'worker.stopped',
    'work.ended',
  ]);
  assert.equal((await sandbox.json(['job', id])).result, 'let go');
  assert.deepEqual(await sandbox.json(['workers']), { workers: [] });
});

test('an idle worker stops at once on SIGINT, with 0', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const child = sandbox.start(['work', '--tasks', 'tasks', '--json']);
  const end = ended(child);
  await lineOf(child.stdout, (line) => line.includes('"worker.started"'));
  child.kill('SIGINT');
  assert.equal((await end).code, 0);
});

for (const [second, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`a second signal (${second}) ends the process at once with ${expected}`, async (context) => {
    const sandbox = new Sandbox(context);
    sandbox.write('tasks/all.ts', TASKS);
    await sandbox.enqueue('hold');
    const child = sandbox.start(['work', '--tasks', 'tasks', '--json', '--grace', '1h']);
    const end = ended(child);
    await lineOf(child.stdout, (line) => line.includes('"job.started"'));
    child.kill(second === 'SIGINT' ? 'SIGTERM' : 'SIGINT');
    await lineOf(child.stderr, (line) => line.startsWith('Stopping'));
    child.kill(second);
    assert.equal((await end).code, expected);
  });
}

test('two copies of one signal, as npx makes them, are one wish', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  await sandbox.enqueue('hold');
  const child = sandbox.start(['work', '--tasks', 'tasks', '--json', '--grace', '1ms']);
  const end = ended(child);
  await lineOf(child.stdout, (line) => line.includes('"job.started"'));
  child.kill('SIGINT');
  child.kill('SIGINT');
  assert.equal((await end).code, 0);
});

test('a signal ends --until-idle, too, although jobs are left', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  await sandbox.json(['enqueue', 'hold', '--lines'], { input: '1\n2\n3' });
  const child = sandbox.start([
    'work',
    '--tasks',
    'tasks',
    '--queue',
    'default',
    '--until-idle',
    '--json',
    '--grace',
    '1ms',
    '--concurrency',
    '1',
  ]);
  const end = ended(child);
  await lineOf(child.stdout, (line) => line.includes('"job.started"'));
  child.kill('SIGTERM');
  const { code, stdout } = await end;
  assert.equal(code, 0);
  assert.equal(eventsOf(stdout).at(-1)?.tally?.completed, 1);
});

test('a reader that goes away stops the worker gracefully and quietly', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const child = sandbox.start(['work', '--tasks', 'tasks', '--json']);
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  await lineOf(child.stdout, (line) => line.includes('"worker.started"'));
  child.stdout.destroy();
  // Its events are what finds the pipe closed, if none did before.
  await sandbox.enqueue('add', '{"a":2,"b":2}');
  assert.equal(await closed, 0);
  assert.equal(stderr, '');
  assert.deepEqual(await sandbox.json(['workers']), { workers: [] });
});

test('the log level of the worker is honoured, and a wrong one refused', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  await sandbox.enqueue('add', '{"a":1,"b":1}');
  await sandbox.enqueue('refuse');
  const { stderr } = await sandbox.run(['work', '--tasks', 'tasks', '--until-idle', '--log-level', 'error']);
  assert.deepEqual(
    eventsOf(stderr).map(({ event }) => event),
    ['job.failed'],
  );
  const wrong = await sandbox.run(['work', '--tasks', 'tasks', '--log-level', 'loud']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /'loud' is invalid\. Allowed choices are trace, debug/);
});

const REFUSED: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['--concurrency', '0'], /OPTION_INVALID: --concurrency is 0; expected a whole number of at least 1/],
  [['--lease', '10'], /OPTION_INVALID: leaseMs is 10; expected at least 500 milliseconds/],
  [['--grace', 'long'], /OPTION_INVALID: --grace is "long"; expected a duration such as/],
  [['--prefetch', '-1'], /OPTION_INVALID: --prefetch is -1/],
];

for (const [args, message] of REFUSED) {
  test(`work ${args.join(' ')} is refused`, async (context) => {
    const sandbox = new Sandbox(context);
    sandbox.write('tasks/all.ts', TASKS);
    const { code, stderr } = await sandbox.run(['work', '--tasks', 'tasks', '--until-idle', ...args]);
    assert.equal(code, 2);
    assert.match(stderr, message);
  });
}

test('--next runs one job, and --role starts one role alone', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  await sandbox.json(['enqueue', 'add', '--lines'], { input: '{"a":1,"b":1}\n'.repeat(3) });
  const { stdout } = await sandbox.run(['work', '--tasks', 'tasks', '--next', '--json']);
  assert.equal(eventsOf(stdout).at(-1)?.tally?.completed, 1);
  const { counts } = await sandbox.json<{ counts: Record<string, number> }>([
    'jobs',
    '--count',
    '--task',
    'add',
  ]);
  assert.deepEqual([counts.ready, counts.completed], [2, 1]);
  const { stderr, code } = await sandbox.run(['work', '--tasks', 'tasks', '--role', 'planning']);
  assert.equal(code, 2);
  assert.match(stderr, /Allowed choices are processing, scheduling/);
});
