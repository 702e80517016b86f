import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepTree } from '../../src/cli/step-tree.ts';
import type { RunDetail, StepView } from '../../src/index.ts';
import { freshStore, missingFor } from '../fresh-store.ts';
import { LONGSHORE, lineOf, Sandbox, ZOD } from './longshore.ts';

/** An order: validated, decided on, a job for each item, an approval by signal, and a last step that may fail. */
const FLOWS = `
import { z } from ${JSON.stringify(ZOD)};
import { defineFlow, defineTask, UnrecoverableError } from ${JSON.stringify(LONGSHORE)};

const echo = defineTask<unknown, unknown>({ name: 'echo', run: ({ input }) => input });
const route = defineTask<number, string>({ name: 'route', run: ({ input }) => (input < 1_000 ? 'auto' : 'manager') });
const reserve = defineTask<string, string>({
  name: 'reserve',
  run: ({ input }) => {
    if (input === 'none') throw new UnrecoverableError('sold out');
    return input;
  },
});
const ship = defineTask<{ to: string }, string>({
  name: 'ship',
  run: ({ input }) => {
    if (input.to === 'nowhere') throw new UnrecoverableError('no such place');
    return \`sent to \${input.to}\`;
  },
});
export default [echo, route, reserve, ship];

export const order = defineFlow({
  name: 'order',
  input: z.object({ amount: z.number(), items: z.array(z.string()), to: z.string() }),
  steps: (s) => {
    const checked = s.step('check', echo, { undo: echo });
    const chosen = s.decide('route', route, { after: [checked], input: ({ run }) => run.amount, branches: ['auto', 'manager'] });
    const items = s.each('reserve', reserve, { over: s.input.items, after: [checked], failure: 'continue' });
    const approved = s.waitFor('approval', z.object({ by: z.string() }), { on: chosen.manager, signal: 'ok', timeoutMs: 86_400_000 });
    return s.step('ship', ship, { after: [items, approved], input: ({ run }) => ({ to: run.to }), failure: 'block' });
  },
});
export const outer = defineFlow({ name: 'outer', steps: (s) => s.flow('inner', order, { input: () => ({ amount: 1, items: [], to: 'Rome' }) }) });
`;

const LARGE = '{"amount":4200,"items":["a","none","b"],"to":"Bern"}';
const NOWHERE = '{"amount":1,"items":[],"to":"nowhere"}';

/** With the flows of FLOWS in its task files. */
class FlowSandbox extends Sandbox {
  begin(...args: readonly string[]): ReturnType<Sandbox['run']> {
    return this.run(['start', ...args, '--tasks', 'tasks']);
  }

  async work(): Promise<void> {
    const { code, stderr } = await this.run([
      'work',
      '--tasks',
      'tasks',
      '--until-idle',
      '--log-level',
      'silent',
    ]);
    assert.equal(code, 0, stderr);
  }

  /** What the terminal shows of a step, blanks joined. */
  async step(run: string, name: string): Promise<string> {
    const { stdout } = await this.run(['flow', run]);
    const line = stdout.split('\n').find((text) => text.replace(/^[ │├└─]*/, '').startsWith(`${name} `));
    return line?.replace(/ +/g, ' ') ?? `there is no step ${name} in\n${stdout}`;
  }
}

function sandboxOf(context: ConstructorParameters<typeof Sandbox>[0], store?: string): FlowSandbox {
  const sandbox = new FlowSandbox(context);
  if (store !== undefined) sandbox.write('longshore.config.json', JSON.stringify({ store }));
  sandbox.write('tasks/flows.ts', FLOWS);
  return sandbox;
}

test('start begins a run, and the same one once; work goes on with it until it waits', async (context) => {
  const sandbox = sandboxOf(context);
  const first = await sandbox.begin('order', LARGE, '--id', 'order-7');
  assert.deepEqual([first.code, first.stdout, first.stderr], [0, 'order-7\n', '']);
  const again = await sandbox.begin('order', LARGE, '--id', 'order-7');
  assert.deepEqual([again.code, again.stdout], [0, 'order-7\n']);
  assert.equal(again.stderr, 'The run was there already; nothing was started.\n');
  assert.match(
    await sandbox.step('order-7', 'check'),
    /check running .* its job waits for a worker; no live worker has 'echo'/,
  );
  assert.match(
    await sandbox.step('order-7', 'ship'),
    /ship pending waits for reserve, approval \(0 of 2 ended\)/,
  );
  await sandbox.work();
  const listed = await sandbox.json<{ jobs: { task: string }[] }>([
    'jobs',
    '--run',
    'order-7',
    '--limit',
    '3',
  ]);
  assert.deepEqual(
    listed.jobs.map(({ task }) => task),
    ['echo', 'route', 'reserve'],
  );
  const { stdout } = await sandbox.run(['flow', 'order-7']);
  assert.match(
    stdout,
    /^run order-7\nstate {7}waiting\nflow {8}order, version \S+\nstarted .*\ninput {7}\{"amount":4200,/,
  );
  assert.match(await sandbox.step('order-7', 'route'), /^├─ route completed .* chose manager$/);
  assert.match(
    await sandbox.step('order-7', 'approval'),
    /^│ approval waiting .* for signal 'ok', times out in \S+/,
  );
  assert.match(
    await sandbox.step('order-7', 'reserve'),
    /^├─ reserve completed .* 3 items: 2 completed, 1 failed$/,
  );
  assert.match(await sandbox.step('order-7', 'ship'), /^ship pending waits for approval \(1 of 2 ended\)/);
});

test('a signal lets the run go on; wrong ones are refused', async (context) => {
  const sandbox = sandboxOf(context);
  await sandbox.begin('order', LARGE, '--id', 'order-7');
  const wrong = await sandbox.run(['signal', 'order-7', 'approval', '{"by":"ada"}']);
  assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /^error OPTION_INVALID: signal is "approval"; expected 'ok'|"ok"/);
  const sent = await sandbox.run(['signal', 'order-7', 'ok'], { input: '{"by":"ada"}' });
  assert.deepEqual([sent.code, sent.stdout, sent.stderr], [0, 'signal ok sent to run order-7\n', '']);
  assert.deepEqual(await sandbox.actions(), [['signalRun', 'order-7']]);
  await sandbox.work();
  const run = await sandbox.json<RunDetail>(['flow', 'order-7']);
  assert.deepEqual([run.state, run.result], ['completed', 'sent to Bern']);
  assert.equal(typeof run.startedAt, 'number');
  assert.equal(typeof run.steps[0]?.endedAt, 'number');
  const late = await sandbox.run(['signal', 'order-7', 'ok']);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /^error RUN_STATE_REFUSED: Run 'order-7' takes no signal: it is completed/);
});

test('start --wait tells what the steps do and prints the result, or why there is none', async (context) => {
  const sandbox = sandboxOf(context);
  const worker = sandbox.start(['work', '--tasks', 'tasks', '--json']);
  await lineOf(worker.stdout, () => true);
  const good = await sandbox.begin('order', '{"amount":1,"items":["a"],"to":"Rome"}', '--wait');
  assert.deepEqual([good.code, good.stdout], [0, '"sent to Rome"\n'], good.stderr);
  for (const line of [
    /^Waits for run \S+\.$/m,
    /^reserve: completed, 1 of 1 after /m,
    /^ship: completed after /m,
  ])
    assert.match(good.stderr, line);
  const args = [
    'start',
    'order',
    LARGE,
    '--tasks',
    'tasks',
    '--identity',
    'strict',
    '--wait',
    '--timeout',
    '50ms',
  ];
  const late = await sandbox.run(args);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /^error RESULT_TIMEOUT: Run 'order-\S+' did not end within 50 ms\. It goes on/m);
});

test('flows lists runs, narrowed by flow and state, page by page', async (context) => {
  const sandbox = sandboxOf(context);
  await sandbox.run(['migrate']);
  const none = await sandbox.run(['flows']);
  assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'No runs.\n']);
  for (const id of ['a', 'b']) await sandbox.begin('order', LARGE, '--id', id);
  await sandbox.begin('outer', '--id', 'c');
  await sandbox.run(['flow', 'cancel', 'a']);
  const ids = async (...args: string[]) =>
    (await sandbox.json<{ runs: { id: string }[] }>(['flows', ...args])).runs.map(({ id }) => id);
  assert.deepEqual(await ids('--flow', 'order', '--state', 'running,blocked'), ['c>inner', 'b']);
  assert.deepEqual(await ids('--flow', 'outer'), ['c']);
  const page = await sandbox.run(['flows', '--limit', '1', '--flow', 'order']);
  assert.match(page.stdout, /^RUN +FLOW +STATE +STARTED +TOOK +REASON\nc>inner +order +running +\S+/);
  const cursor = /^There are more: --cursor (\S+)$/m.exec(page.stderr)?.[1] ?? '';
  assert.deepEqual(await ids('--limit', '1', '--flow', 'order', '--cursor', cursor), ['b']);
  const slip = await sandbox.run(['flows', '--state', 'blokced']);
  assert.deepEqual(
    [slip.code, slip.stderr],
    [2, 'error OPTION_INVALID: --state is "blokced"; did you mean blocked?\n'],
  );
});

test('by hand: a failed step is retried with other input, completed, or skipped, and the audit trail says so', async (context) => {
  const sandbox = sandboxOf(context);
  for (const id of ['a', 'b', 'c', 'd']) await sandbox.begin('order', NOWHERE, '--id', id);
  await sandbox.work();
  const blocked = await sandbox.run(['flow', 'a']);
  assert.match(blocked.stdout, /\n\nerrors\n {2}ship {2}job \S+\n {4}UnrecoverableError: no such place$/m);
  assert.match(await sandbox.step('a', 'ship'), /^ship failed, blocked /);
  const retried = await sandbox.run([
    'flow',
    'retry',
    'a',
    'ship',
    '--input',
    '{"to":"Rome"}',
    '--by',
    'ada',
    '--why',
    'typo',
  ]);
  assert.deepEqual(
    [retried.code, retried.stdout, retried.stderr],
    [0, 'run a took retry ship; it is running now\n', ''],
  );
  await sandbox.run(['flow', 'complete', 'b', 'ship', '"by hand"']);
  await sandbox.run(['flow', 'resolve', 'c', 'ship']);
  const skipped = await sandbox.json(['flow', 'skip', 'd', 'ship']);
  assert.deepEqual(skipped, { id: 'd', action: 'skip', step: 'ship', state: 'completed' });
  await sandbox.work();
  const results = [];
  for (const id of ['a', 'b', 'c']) results.push((await sandbox.json<RunDetail>(['flow', id])).result);
  assert.deepEqual(results, ['sent to Rome', 'by hand', null]);
  const { stdout } = await sandbox.run(['flow', 'a']);
  assert.match(stdout, /\n\naudit trail\n {2}\S+ \S+ {2}.*? {2}retry ship by ada: typo\n$/);
  assert.deepEqual(await sandbox.actions(), [
    ['retryStep', 'a / ship'],
    ['completeStep', 'b / ship'],
    ['resolveStep', 'c / ship'],
    ['skipStep', 'd / ship'],
  ]);
});

test('cancel --compensate undoes what completed', async (context) => {
  const sandbox = sandboxOf(context);
  await sandbox.begin('order', LARGE, '--id', 'order-7');
  await sandbox.work();
  await sandbox.run(['flow', 'cancel', 'order-7', '--compensate']);
  await sandbox.work();
  assert.match(await sandbox.step('order-7', 'check'), /^check completed, undone /);
  assert.match(await sandbox.step('order-7', 'ship'), /^ship never ran /);
  const { state } = await sandbox.json<RunDetail>(['flow', 'order-7']);
  assert.equal(state, 'cancelled');
});

test('a run of another flow is shown by its id, and shows whose step it is', async (context) => {
  const sandbox = sandboxOf(context);
  await sandbox.begin('outer', '--id', 'cancel');
  await sandbox.work();
  assert.match(await sandbox.step('cancel>inner', 'ship'), /^ship completed /);
  const { stdout } = await sandbox.run(['flow', 'show', 'cancel']);
  assert.match(stdout, /^inner +completed .* run cancel>inner$/m);
  assert.match((await sandbox.run(['flow', 'cancel>inner'])).stdout, /^a step of {3}run cancel$/m);
});

test('what is not there, or cannot be, is refused in a line', async (context) => {
  const sandbox = sandboxOf(context);
  await sandbox.run(['migrate']);
  sandbox.write('other/tasks.ts', 'export const nothing = 1;');
  for (const [args, code, said] of [
    [
      ['flow', 'nope'],
      1,
      "RUN_UNKNOWN: There is no run 'nope': it never was, or it ended and is kept no longer.",
    ],
    [['flow', 'cancel', 'nope'], 1, "RUN_UNKNOWN: There is no run 'nope'"],
    [['signal', 'nope', 'ok'], 1, "RUN_UNKNOWN: There is no run 'nope' and no job of that id"],
    [['flow', 'cancle', 'nope'], 2, "USAGE: too many arguments for 'flow'"],
    [['flow'], 2, "USAGE: missing required argument 'id'"],
    [['flow', 'retry', 'nope'], 2, "USAGE: missing required argument 'step'"],
    [['flow', 'retry', 'nope', 'a', '--input', '{a}'], 2, 'PAYLOAD_NOT_JSON: --input is not JSON'],
    [
      ['start', 'order', '{"amount":1}', '--tasks', 'tasks'],
      1,
      'INPUT_INVALID: The input of flow "order" does not match its schema',
    ],
    [['start', 'ordr', '--tasks', 'tasks'], 2, 'OPTION_INVALID: flow is "ordr"; did you mean order?'],
    [['start', 'order'], 2, 'USAGE: No tasks are given.'],
    [['start', 'order', '--tasks', 'other'], 1, 'TASKS_UNLOADABLE: No flow is exported in other (1 module).'],
    [['start', 'order', '--id', 'a', '--identity', 'strict'], 2, 'USAGE: '],
    [['start', 'order', '--timeout', '1s'], 2, 'USAGE: --timeout needs --wait.'],
  ] as const) {
    const ended = await sandbox.run(args);
    assert.deepEqual([ended.code, ended.stdout], [code, ''], ended.stderr);
    assert.ok(ended.stderr.startsWith(`error ${said}`), ended.stderr);
  }
});

test('two flows of one name in the task files are refused', async (context) => {
  const sandbox = sandboxOf(context);
  sandbox.write('tasks/same.ts', `export { order } from './flows.ts';`);
  assert.equal((await sandbox.begin('order', LARGE)).code, 0);
  sandbox.write(
    'tasks/two.ts',
    `import { defineFlow } from ${JSON.stringify(LONGSHORE)};\nexport const two = defineFlow({ name: 'order', steps: (s) => s.sleep('nap', 1) });`,
  );
  const { code, stderr } = await sandbox.begin('order', LARGE);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error FLOW_INVALID: Two different flows are named "order", in tasks\/flows\.ts and in tasks\/two\.ts; /,
  );
});

test('a run on Redis is begun, worked on and shown as on SQLite', async (context) => {
  const missing = await missingFor('redis');
  if (missing !== undefined) return context.skip(missing);
  const { url, remove } = await freshStore('redis');
  context.after(remove);
  const sandbox = sandboxOf(context, url);
  const begun = await sandbox.begin('order', LARGE, '--id', 'order-7');
  assert.deepEqual([begun.code, begun.stdout], [0, 'order-7\n'], begun.stderr);
  await sandbox.work();
  assert.match(await sandbox.step('order-7', 'approval'), /approval waiting .* for signal 'ok'/);
  const signal = await sandbox.run(['signal', 'order-7', 'ok'], { input: '{"by":"Ada"}' });
  assert.equal(signal.code, 0, signal.stderr);
  await sandbox.work();
  const { runs } = await sandbox.json<{ runs: { id: string; state: string }[] }>(['flows']);
  assert.deepEqual(
    runs.map(({ id, state }) => [id, state]),
    [['order-7', 'completed']],
  );
});

test('the tree indents branches, not chains, and draws a join where its branches part', () => {
  const steps = Object.entries({
    init: [],
    left: ['init'],
    right: ['init'],
    transform: ['left'],
    analyze: ['right'],
    validate: ['left', 'right'],
    finalize: ['validate', 'transform', 'analyze'],
    last: ['finalize'],
    one: ['last'],
    two: ['last.yes'],
  }).map(([name, after]) => ({ name, after }) as unknown as StepView);
  assert.deepEqual(
    stepTree(steps).map(({ lead, step }) => lead + step.name),
    [
      'init',
      '├─ left',
      '│  transform',
      '├─ right',
      '│  analyze',
      '├─ validate',
      'finalize',
      'last',
      '├─ one',
      '└─ two',
    ],
  );
});
