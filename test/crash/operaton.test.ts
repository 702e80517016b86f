/**
 * Workers of Operaton are killed and stand still, and the engine restarts, while external tasks are done: none is lost, and each is
 * completed once. The long form: OPERATON_RUNS=10000 npm test -- test/crash/operaton.test.ts
 */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startOperaton } from '../../setup/services/operaton.mjs';
import { builtOperaton, OPERATON_MISSING, operatonProgram } from '../../setup/services/operaton-program.mjs';
import { Engine } from '../connectors/operaton/server.ts';
import { until } from '../connectors/operaton/until.ts';

const RUNS = Number(process.env.OPERATON_RUNS ?? 200);
const PROGRAM = fileURLToPath(new URL('../connectors/operaton/worker-program.ts', import.meta.url));
const USER = { OPERATON_USERNAME: 'demo', OPERATON_PASSWORD: 'geheim' };
/** One for each of these parts of the work that is done: workers killed and stopped in turn, the engine once in between. */
const BLOWS = ['kill', 'pause', 'server', 'kill', 'pause', 'kill'] as const;

type Child = ChildProcessByStdio<null, Readable, null>;

test('no external task is lost and none completed twice, whoever dies meanwhile', {
  timeout: 3_600_000,
}, async (t) => {
  if (operatonProgram() === undefined) {
    if (!process.env.CI) return t.skip(OPERATON_MISSING);
    await builtOperaton();
  }
  const args = [
    '--longshore.basic-auth=true',
    `--operaton.bpm.admin-user.id=${USER.OPERATON_USERNAME}`,
    `--operaton.bpm.admin-user.password=${USER.OPERATON_PASSWORD}`,
  ];
  const server = await startOperaton({ durable: true, args });
  t.after(() => server.stop());
  const engine = new Engine(server.url, `${USER.OPERATON_USERNAME}:${USER.OPERATON_PASSWORD}`);
  const definition = await engine.deploy(null);
  const workers = new Set<Child>();
  t.after(() => {
    for (const worker of workers) worker.kill('SIGKILL');
  });
  const start = async (): Promise<void> => {
    const worker = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', PROGRAM, definition.topic],
      {
        env: { ...process.env, ...USER, OPERATON_URL: server.url },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
    await once(createInterface({ input: worker.stdout }), 'line');
  };
  await Promise.all([start(), start()]);
  const started = startAll(definition, RUNS);
  for (const [index, blow] of BLOWS.entries()) {
    await until(async () => (await definition.ended('end')) >= (RUNS * (index + 1)) / (BLOWS.length + 1));
    const [first] = workers;
    if (blow === 'server') {
      await started;
      await server.kill();
      await server.restart();
    } else if (blow === 'kill') {
      first?.kill('SIGKILL');
      await start();
    } else {
      first?.kill('SIGSTOP');
      t.after(() => first?.kill('SIGCONT'));
      await start();
      // The other two do what it held, once its locks have ended.
      const held = await lockedBy(engine, definition.topic, first?.pid);
      await until(async () => !(await someOf(held, engine, definition.topic, first?.pid)));
      first?.kill('SIGCONT');
    }
  }
  await started;
  await until(async () => (await definition.ended('end')) === RUNS);
  const exits = [...workers].map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.kill('SIGTERM');
  for (const [code] of await Promise.all(exits)) assert.equal(code, 0);
  const { count } = await engine.call<{ count: number }>(
    'GET',
    '/history/external-task-log/count?successLog=true',
  );
  assert.equal(count, RUNS);
  assert.deepEqual(await definition.tasks(), []);
  assert.deepEqual(await definition.incidents(), []);
});

/** Some at a time. */
async function startAll(definition: Awaited<ReturnType<Engine['deploy']>>, runs: number): Promise<void> {
  let left = runs;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await definition.start();
    }
  };
  await Promise.all(Array.from({ length: 4 }, one));
}

async function lockedBy(engine: Engine, topic: string, pid: number | undefined): Promise<readonly string[]> {
  const tasks = await engine.call<{ id: string; workerId: string | null }[]>(
    'GET',
    `/external-task?topicName=${topic}&locked=true`,
  );
  return tasks.filter(({ workerId }) => workerId?.includes(`-${pid}-`)).map(({ id }) => id);
}

async function someOf(
  ids: readonly string[],
  engine: Engine,
  topic: string,
  pid: number | undefined,
): Promise<boolean> {
  const locked = await lockedBy(engine, topic, pid);
  return ids.some((id) => locked.includes(id));
}
