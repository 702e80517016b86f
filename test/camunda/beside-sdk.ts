/**
 * A measurement, not a test: the SDK's worker and ours on the simulator, one after the other, in turn. Writes JSON:
 * `node test/camunda/beside-sdk.ts [JOBS] [ROUNDS]`. Throughput of jobs that do nothing; and a job that computes for 20 s under a lock of
 * 5 s, beside jobs that come every 250 ms.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sequence } from './processes.ts';
import { Simulator } from './simulator/server.ts';

const [jobs = 2_000, rounds = 3] = process.argv.slice(2).map(Number);
const SIDES = ['sdk', 'ours'] as const;
type Side = (typeof SIDES)[number];

/** What is not done so long after the last job came is counted as not done. */
const LIMIT_MS = 60_000;

const result = { jobs, throughput: {} as Record<Side, object[]>, blocked: {} as Record<Side, object> };
for (let round = 0; round < rounds; round += 1)
  for (const side of SIDES)
    result.throughput[side] = [...(result.throughput[side] ?? []), await throughput(side)];
process.stderr.write(`${JSON.stringify(result.throughput)}\n`);
for (const side of SIDES) result.blocked[side] = await blocked(side);
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);

async function throughput(side: Side): Promise<object> {
  const { simulator, create, worker } = await stage(side, { lockMs: 30_000, concurrency: 20 });
  create('quick', 200);
  await until(simulator, 200);
  const cpuBefore = await cpuOf(worker);
  const began = performance.now();
  create('quick', jobs);
  await until(simulator, 200 + jobs);
  const seconds = (performance.now() - began) / 1_000;
  const cpuMs = (await cpuOf(worker)) - cpuBefore;
  await end(simulator, worker);
  const { redeliveries } = simulator.engine.counts;
  return {
    jobsPerSecond: Math.round(jobs / seconds),
    cpuMsPerJob: Number((cpuMs / jobs).toFixed(3)),
    redeliveries,
  };
}

async function blocked(side: Side): Promise<object> {
  const { simulator, create, worker } = await stage(side, { lockMs: 5_000, concurrency: 10 });
  create('quick', 1);
  await until(simulator, 1);
  create('compute', 1, { ms: 20_000 });
  const began = performance.now();
  const sent = new Map<string, number>();
  const took: number[] = [];
  simulator.engine.whenCompleted = ({ instanceKey }) => {
    const at = sent.get(instanceKey);
    if (at !== undefined) took.push(performance.now() - at);
  };
  for (let n = 0; n < 80; n += 1) {
    for (const key of create('quick', 1)) sent.set(key, performance.now());
    await pass(250);
  }
  const limit = performance.now() + LIMIT_MS;
  while (simulator.engine.counts.completions < 82 && performance.now() < limit) await pass(5);
  const seconds = Number(((performance.now() - began) / 1_000).toFixed(1));
  took.sort((a, b) => a - b);
  const { completions, redeliveries, stale, expiries } = simulator.engine.counts;
  await end(simulator, worker);
  const p95 = Math.round(took[Math.floor(took.length * 0.95)] ?? Number.NaN);
  return { seconds, of: 82, neighboursP95Ms: p95, completions, redeliveries, expiries, stale };
}

async function stage(side: Side, settings: { readonly lockMs: number; readonly concurrency: number }) {
  const simulator = await new Simulator().listen();
  for (const type of ['quick', 'compute']) simulator.engine.deploy(`${type}.bpmn`, sequence(type, { type }));
  simulator.trouble = () => {
    simulator.calls.length = 0;
    return null;
  };
  const worker = fork(
    fileURLToPath(new URL('./beside/worker.ts', import.meta.url)),
    [side, simulator.url, JSON.stringify(settings)],
    { execArgv: ['--disable-warning=ExperimentalWarning'] },
  );
  await once(worker, 'message');
  const create = (processId: string, count: number, variables: object = {}): string[] =>
    Array.from(
      { length: count },
      () =>
        simulator.engine.create({ processId, variables: { ...variables }, tenantId: '<default>', tags: [] })
          .key,
    );
  return { simulator, create, worker };
}

async function until({ engine }: Simulator, completions: number): Promise<void> {
  while (engine.counts.completions < completions) await pass(5);
}

async function cpuOf(worker: ChildProcess): Promise<number> {
  const said = once(worker, 'message');
  worker.send('cpu');
  return ((await said)[0] as { cpuMs: number }).cpuMs;
}

async function end(simulator: Simulator, worker: ChildProcess): Promise<void> {
  const ended = once(worker, 'exit');
  worker.kill('SIGKILL');
  await ended;
  await simulator.close();
}
