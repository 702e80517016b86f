/**
 * Activities of Temporal while workers are killed and stand still and the server is restarted: none is lost, and each is completed
 * once. `TEMPORAL_TASKS=10000 npm test -- test/crash/temporal-kill.test.ts` is the long form.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { clientFor, temporalFor } from '../connectors/temporal/server.ts';
import { workflowBundle } from '../connectors/temporal/stage.ts';

const TASKS = Number(process.env.TEMPORAL_TASKS ?? 200);
/** Workflows under way. */
const AT_ONCE = 40;
const QUEUE = 'kill';
const PROGRAM = fileURLToPath(new URL('./temporal-worker.ts', import.meta.url));

test(`${TASKS} activities outlive workers and server`, { timeout: 3_600_000 }, async (t) => {
  const server = await temporalFor(t, { durable: true });
  if (server === null) return;
  const client = await clientFor(t, server.url);
  const codePath = await bundleFile(t);
  const workers = [start(), start()];
  t.after(() => {
    for (const worker of workers) worker.kill('SIGKILL');
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));

  /** By how many workflows have completed: each fault of a round comes a fifth of it after the one before. */
  const faults: readonly (() => void | Promise<void>)[] = [
    () => renew(0, 'SIGKILL'),
    () => void workers[1]?.kill('SIGSTOP'),
    () => server.kill().then(() => server.restart()),
    () => void workers[1]?.kill('SIGCONT'),
    () => renew(1, 'SIGTERM'),
  ];
  const every = Math.max(1, Math.floor(Math.min(TASKS, ROUND_MAX) / (faults.length + 1)));
  let completed = 0;
  let happening: Promise<void> = Promise.resolve();
  const onCompleted = (): void => {
    completed += 1;
    const fault = faults[(completed / every - 1) % faults.length];
    if (fault !== undefined && completed % every === 0 && completed < TASKS)
      happening = happening.then(fault);
  };

  const results: unknown[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < TASKS) {
      const number = next++;
      results[number] = await outcome(client, number);
      onCompleted();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await happening;

  assert.deepEqual(
    results,
    Array.from({ length: TASKS }, (_, number) => number),
  );
  for (let number = 0; number < TASKS; number += 1)
    assert.equal(await completions(client, number), 1, `activity ${number}`);

  function start(): ChildProcess {
    return fork(PROGRAM, [server?.url ?? '', QUEUE, codePath], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
  }

  function renew(index: 0 | 1, signal: NodeJS.Signals): void {
    workers[index]?.kill(signal);
    workers[index] = start();
  }
});

/** More faults, not rarer ones, where there are more tasks. */
const ROUND_MAX = 500;

async function bundleFile(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-temporal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'workflows.js');
  writeFileSync(file, ((await workflowBundle()) as { code: string }).code);
  return file;
}

/** Starts a workflow and waits for its end, however often the server goes away meanwhile. */
async function outcome(client: Client, number: number): Promise<unknown> {
  await lasting(async () => {
    const args = [
      'mark',
      [number],
      { heartbeatTimeout: '2 seconds', retry: { initialInterval: 100, maximumInterval: 100 } },
    ];
    const options = {
      workflowId: idOf(number),
      taskQueue: QUEUE,
      args,
      workflowTaskTimeout: '5 seconds' as const,
    };
    await client.workflow.start('call', options).catch((error) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });
  });
  return lasting(() => client.workflow.getHandle(idOf(number)).result());
}

async function lasting<Result>(call: () => Promise<Result>): Promise<Result> {
  for (;;)
    try {
      return await call();
    } catch (error) {
      if ((error as Error).name !== 'ServiceError') throw error;
    }
}

async function completions(client: Client, number: number): Promise<number> {
  const { events } = await client.workflow.getHandle(idOf(number)).fetchHistory();
  return (events ?? []).filter(({ activityTaskCompletedEventAttributes: done }) => done).length;
}

function idOf(number: number): string {
  return `mark-${number}`;
}
