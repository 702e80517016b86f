/** ctx.transaction and ctx.complete in threads and processes: writes and the job's end commit together there, too. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defineTask, type Longshore } from '../../src/index.ts';
import { eventually, nextEvent, onEachStore, record, type Stage } from '../stage.ts';
import { TRANSACTION_KINDS } from '../user-database.ts';
import { type Bank, openBank } from './bank.ts';
import { cannotPay, type Given, paysInProcess, paysInThread } from './tasks/pays-elsewhere.ts';

const receipt = defineTask({ name: 'receipt', run: () => 'sent' });
const SETTINGS = { threads: 1, processes: 1, jobsPerHost: 2, graceMs: 100, abortGraceMs: 100 };

interface Ended {
  readonly id: string;
  readonly state: string | undefined;
  readonly result: unknown;
  /** Of its failed attempts. */
  readonly errors: readonly string[];
  readonly attempt: number | undefined;
}

interface Scene {
  readonly stage: Stage;
  readonly longshore: Longshore;
  readonly bank: Bank;
  readonly task: typeof paysInThread | typeof paysInProcess;
  given(how: Given['how']): Given;
  /** Runs one job to its end, on this connection or the scene's. */
  run(how: Given['how'], on?: Longshore): Promise<Ended>;
}

function inEachHost(title: string, body: (scene: Scene) => Promise<void>): void {
  for (const task of [paysInThread, paysInProcess])
    onEachStore(`${title}, ${task.name}`, async (stage) => body(await setUp(stage, task)), TRANSACTION_KINDS);
}

async function setUp(stage: Stage, task: Scene['task']): Promise<Scene> {
  const longshore = await stage.connect({ workerSettings: SETTINGS });
  const bank = await openBank(stage);
  const given = (how: Given['how']): Given => ({ kind: stage.kind, url: stage.url, how });
  return {
    stage,
    longshore,
    bank,
    task,
    given,
    run: async (how, on = longshore) => {
      const { id } = await on.enqueue(task, given(how));
      await on.worker({ tasks: [task, receipt] }).runUntilIdle();
      return endOf(on, id);
    },
  };
}

async function endOf(longshore: Longshore, id: string): Promise<Ended> {
  const job = await longshore.jobs.get(id);
  const errors = job?.errors.map(({ code, message }) => code ?? message) ?? [];
  return { id, state: job?.state, result: job?.result, errors, attempt: job?.attempt };
}

inEachHost('writes, the end, progress and log lines commit together', async ({ stage, bank, run }) => {
  const encryption = { keys: [{ id: 'k1', key: randomBytes(32).toString('base64') }] };
  const longshore = await stage.connect({ workerSettings: SETTINGS, encryption });
  const { id, state, result } = await run('pays', longshore);
  assert.deepEqual([state, result, await bank.balance()], ['completed', { paid: 1 }, 1]);
  const job = await longshore.jobs.get(id);
  assert.equal(job?.progress, 0.5);
  assert.deepEqual(
    job?.logs.map(({ message }) => message),
    ['told inside'],
  );
});

inEachHost('jobs enqueued inside commit with it', async ({ longshore, bank, run }) => {
  const { result } = await run('enqueues inside');
  assert.deepEqual([result, await bank.balance()], ['paid', 1]);
  const [queue] = await longshore.queues.list();
  assert.equal(queue?.counts.completed, 2);
});

inEachHost('a transaction of its own completes the job when it commits', async ({ bank, run }) => {
  const { state, result } = await run('own transaction');
  assert.deepEqual([state, result, await bank.balance()], ['completed', 'mine', 1]);
});

inEachHost('a handler that returns although it rolled back has failed its attempt', async (scene) => {
  const { state, errors } = await scene.run('rolls back at first');
  assert.deepEqual([state, errors], ['completed', ['TRANSACTION_ROLLED_BACK']]);
  assert.equal(await scene.bank.balance(), 1);
});

inEachHost('a handler that aborts runs once an attempt and writes nothing', async ({ bank, run }) => {
  const { state, errors } = await run('aborts');
  assert.deepEqual([state, errors], ['failed', ['abort', 'abort', 'abort']]);
  assert.equal(await bank.balance(), 0);
});

inEachHost('a host that dies with the transaction open leaves nothing of it', async ({ bank, run }) => {
  for (const how of ['dies inside at first', 'dies completed at first'] as const) {
    const { state, errors, result } = await run(how);
    assert.deepEqual([state, errors, result], ['completed', ['LANE_CRASHED'], 'paid'], how);
  }
  assert.equal(await bank.balance(), 2);
});

inEachHost('a host that dies after the commit changes nothing', async ({ bank, run }) => {
  const { state, errors, result } = await run('dies after the commit');
  assert.deepEqual([state, errors, result, await bank.balance()], ['completed', [], 'paid', 1]);
});

inEachHost('a job that has committed does not run again when another job ends its host', async (scene) => {
  const { longshore, bank, task, given } = scene;
  const lingering = await longshore.enqueue(task, given('lingers after its own commit'));
  const ends = record(longshore, 'job.completed', 'job.lost');
  const worker = longshore.worker({ tasks: [task], concurrency: 2 });
  await worker.start();
  await eventually(async () => (await bank.balance()) === 1);
  const dying = await longshore.enqueue(task, given('dies'), { attempts: 1 });
  await assert.rejects(dying.result(), { code: 'JOB_FAILED' });
  assert.equal(await lingering.result(), 'paid');
  await worker.stop();
  assert.deepEqual(
    ends.map(({ name, event }) => [name, event.id]),
    [['job.completed', lingering.id]],
  );
  const { errors, attempt } = await endOf(longshore, lingering.id);
  assert.deepEqual([errors, attempt, await bank.balance()], [[], 1, 1]);
});

inEachHost('a lease that was lost rolls the transaction back', async ({ longshore, bank, task, given }) => {
  await longshore.enqueue(task, given('loses its lease'));
  const lost = nextEvent(longshore, 'job.lost');
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  await lost;
  assert.equal(await bank.balance(), 0);
});

inEachHost('one that was rolled back may be tried again; twice is refused', async ({ bank, run }) => {
  const { result } = await run('twice and again');
  assert.deepEqual(result, ['Error: 40001', 'JOB_STATE_REFUSED']);
  assert.equal(await bank.balance(), 1);
});

inEachHost('what is no transaction or no pool is refused, and the attempt goes on', async ({ bank, run }) => {
  const { result } = await run('refused');
  assert.deepEqual(result, Array(13).fill('OPTION_INVALID'));
  assert.equal(await bank.balance(), 0);
});

inEachHost('a result that is no JSON rolls the writes back', async ({ bank, run }) => {
  const { errors } = await run('no JSON');
  assert.deepEqual(errors, ['PAYLOAD_NOT_JSON', 'PAYLOAD_NOT_JSON', 'PAYLOAD_NOT_JSON']);
  assert.equal(await bank.balance(), 0);
});

onEachStore(
  'where nothing is kept of ended jobs, the end in a thread is heard here',
  async (stage) => {
    const { longshore, task, given } = await setUp(stage, paysInThread);
    await longshore.queues.setRetention('default', { completed: { ageMs: null, count: 0 } });
    const job = await longshore.enqueue(task, given('pays'));
    const awaited = job.result();
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.deepEqual(await awaited, { paid: 1 });
  },
  TRANSACTION_KINDS,
);

onEachStore(
  'a store without transactions says so in a thread, too',
  async (stage) => {
    const longshore = await stage.connect();
    const job = await longshore.enqueue(cannotPay, null);
    await longshore.worker({ tasks: [cannotPay] }).runUntilIdle();
    assert.deepEqual(await job.result(), ['TRANSACTIONS_UNSUPPORTED', 'TRANSACTIONS_UNSUPPORTED']);
  },
  ['memory', 'redis'],
);
