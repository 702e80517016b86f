/**
 * Workers and the server die and stand still in the middle of their work: no job is lost, and the completion of each is accepted
 * once. `CAMUNDA_JOBS=10000` is the long form.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const JOBS = Number(process.env.CAMUNDA_JOBS ?? 400);
const LOCK_MS = 1_500;
const programAt = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test(`of ${JOBS} jobs none is lost, and each is completed once, whoever is killed`, {
  timeout: 600_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-camunda-'));
  const children = new Set<ChildProcess>();
  t.after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'journal');
  const start = async (
    program: string,
    ...args: string[]
  ): Promise<{ child: ChildProcess; said: unknown }> => {
    const child = fork(programAt(program), args, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    children.add(child);
    const [said] = await once(child, 'message');
    return { child, said };
  };
  const kill = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    children.delete(child);
  };

  let server = await start('./simulator/program.ts', '0', file);
  const { url } = server.said as { url: string };
  const created = once(server.child, 'message');
  server.child.send({ type: 'work', count: JOBS });
  await created;
  const worker = async (): Promise<ChildProcess> =>
    (await start('./worker-program.ts', url, String(LOCK_MS))).child;
  const journal = new Completions(file);
  const completed = async (share: number): Promise<void> => {
    while (journal.count() < Math.floor(JOBS * share)) await once(server.child, 'message');
  };

  const [first, second, third] = await Promise.all([worker(), worker(), worker()]);
  await completed(0.15);
  await kill(first, 'SIGKILL');
  const fourth = await worker();
  await completed(0.3);
  second.kill('SIGSTOP');
  await completed(0.45);
  await kill(server.child, 'SIGKILL');
  server = await start('./simulator/program.ts', new URL(url).port, file);
  await completed(0.6);
  second.kill('SIGCONT');
  await completed(0.75);
  const counts = once(third, 'message');
  await kill(third, 'SIGTERM');
  assert.equal(((await counts)[0] as { untold: number }).untold, 0);
  await kill(fourth, 'SIGKILL');
  const fifth = await worker();
  await completed(1);
  await Promise.all([second, fifth].map((one) => kill(one, 'SIGTERM')));
  await kill(server.child, 'SIGKILL');

  const states = recordsOf(file, 'job').filter(({ state }) => state === 'COMPLETED');
  assert.equal(states.length, JOBS);
  assert.equal(new Set(states.map(({ key }) => key)).size, JOBS);
  const instances = new Map(recordsOf(file, 'instance').map((one) => [one.key, one]));
  assert.equal(instances.size, JOBS);
  for (const { state, variables } of instances.values())
    assert.deepEqual([state, variables?.done], ['COMPLETED', variables?.n]);
  assert.equal(recordsOf(file, 'incident').length, 0);
});

/** Counts completions in the journal, of which it reads what is new. */
class Completions {
  readonly #file: string;
  #read = 0;
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  count(): number {
    const size = statSync(this.#file).size;
    const bytes = Buffer.alloc(size - this.#read);
    const handle = openSync(this.#file, 'r');
    readSync(handle, bytes, 0, bytes.length, this.#read);
    closeSync(handle);
    const whole = bytes.lastIndexOf(10) + 1;
    this.#read += whole;
    const lines = bytes.subarray(0, whole).toString().split('\n');
    this.#count += lines.filter((line) => line.startsWith('["job"') && line.includes('"COMPLETED"')).length;
    return this.#count;
  }
}

interface Kept {
  readonly key: string;
  readonly state: string;
  readonly variables?: { readonly n: number; readonly done: number };
}

/** Each record as often as it was written. */
function recordsOf(file: string, kind: string): Kept[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as [string, Kept])
    .filter(([of]) => of === kind)
    .map(([, record]) => record);
}
