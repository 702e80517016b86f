/**
 * The tuner on a real machine: jobs of 20 ms of computing and 80 ms of waiting each, in child processes.
 *
 *   node test/tuner/programs/load.ts [--seconds 40] [--target 0.9] [--compute 20] [--wait 80] [--store memory:] [--own]
 *
 * Prints a line a second and a summary. To be believed only where nothing else runs; on a busy machine `--own` with a
 * low target shows at least that the loop works: it counts the processor time of the jobs' processes alone.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as passed } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect, type Events, type Sensor } from '../../../src/index.ts';
import { UseMeter } from '../../../src/tuner/sensor.ts';
import { compute, load } from './tasks.ts';

const text = (fallback: string) => ({ type: 'string', default: fallback }) as const;
const { values } = parseArgs({
  options: {
    seconds: text('40'),
    target: text('0.9'),
    compute: text('20'),
    wait: text('80'),
    store: text('memory:'),
    min: text('1'),
    own: { type: 'boolean', default: false },
  },
});
const [seconds, target] = [Number(values.seconds), Number(values.target)];
const input = { rounds: roundsFor(Number(values.compute)), waitMs: Number(values.wait) };

const hosts = new Set<number>();
const longshore = await connect(values.store, values.own ? { sensor: ownSensor() } : {});
longshore.on('host.started', ({ host }) => hosts.add(host));
const samples: Events['tuner.sampled'][] = [];
const changes: { second: number; event: Events['tuner.adjusted'] }[] = [];
longshore.on('tuner.sensorChosen', ({ sensor }) => console.log(`reads ${sensor}`));
longshore.on('tuner.sampled', (event) => samples.push(event));
let second = 0;
longshore.on('tuner.adjusted', (event) => changes.push({ second, event }));
await longshore.enqueueMany(
  load,
  Array.from(
    { length: Math.ceil((seconds * 1_000 * availableParallelism()) / Number(values.compute)) },
    () => input,
  ),
);
const worker = longshore.worker({
  tasks: [load],
  strategy: 'process',
  jobsPerHost: 500,
  graceMs: 1_000,
  tuner: { targetCpu: target, slotsMin: Number(values.min) },
});
await worker.start();
const means: number[] = [];
for (second = 1; second <= seconds; second += 1) {
  const first = samples.length;
  await passed(1_000);
  const mean = samples.slice(first).reduce((sum, { cpu }, _, all) => sum + cpu / all.length, 0);
  means.push(mean);
  const { total, used } = worker.slots;
  const now = changes.filter((change) => change.second === second);
  const why = now.map(({ event }) => `${event.from} -> ${event.to} ${event.reason}`).join(', ');
  console.log(`${String(second).padStart(3)} s  processor ${mean.toFixed(2)}  ${used} of ${total}  ${why}`);
}
summary();
await longshore.close();

function summary(): void {
  const reached = means.findIndex((mean) => Math.abs(mean - target) <= 0.05) + 1;
  const settled = means.slice(10);
  const near = settled.filter((mean) => Math.abs(mean - target) <= 0.07).length;
  const average = settled.reduce((sum, mean) => sum + mean / settled.length, 0);
  console.log(`first within 5 points of ${target}: ${reached === 0 ? 'never' : `after ${reached} s`}`);
  console.log(
    `from 10 s on: mean ${average.toFixed(3)}, ${near} of ${settled.length} seconds within 7 points`,
  );
  console.log(
    `${changes.length} changes, ${changes.filter((change) => change.second > 10).length} of them after 10 s`,
  );
  console.log(`${worker.tally.completed} jobs done`);
}

/** Of the child processes (Linux only): user and system time of /proc/<pid>/stat, in ticks of 10 ms. */
function ownSensor(): Sensor {
  const usedMs = (): number =>
    [...hosts].reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return sum + (Number(fields[11]) + Number(fields[12])) * 10;
    }, 0);
  const meter = new UseMeter(0, performance.now());
  return {
    name: 'the processes of the jobs',
    sample: () => ({ cpu: meter.use(usedMs(), performance.now(), availableParallelism()), memory: 0 }),
  };
}

/** How many rounds take so long here: the fastest of five tries, warm. */
function roundsFor(computeMs: number): number {
  const rounds = 5_000_000;
  const tries = Array.from({ length: 5 }, () => {
    const began = performance.now();
    compute(rounds);
    return performance.now() - began;
  });
  return Math.round((rounds * computeMs) / Math.min(...tries));
}
