import type { Input } from '../inputs.ts';
import { connect, defineTask } from '../longshore.ts';
import { monotonicMs } from '../pacer.ts';
import { program } from '../program.ts';
import { type WarmUp, warmUp } from '../workload.ts';

/** One of several processes that work on one store. It says how far it is; the parent, who sees them all, ends it. */
export interface FleetWorkerSettings extends WarmUp {
  readonly url: string;
  readonly jobs: number;
  /** Names the queue of its warm-up. */
  readonly index: number;
}

export interface FleetWorkerRun {
  /** How often each job ran here, by its number. */
  readonly runs: Uint8Array;
  readonly strangers: number;
  readonly completed: number;
  /** On the machine's monotonic clock: before the worker's start, and at its last settlement. */
  readonly startedAtMs: number;
  readonly lastAtMs: number;
  readonly cpuMs: number;
}

const SAY_EVERY_MS = 50;

program<FleetWorkerSettings, FleetWorkerRun>(async (settings, parent) => {
  const { url, jobs, concurrency } = settings;
  const runs = new Uint8Array(jobs);
  let strangers = 0;
  const task = defineTask({
    name: 'noop',
    run: ({ input }) => {
      const { n } = input as Input;
      if (runs[n] === undefined) strangers += 1;
      else runs[n] = Math.min(255, runs[n] + 1);
    },
  });
  const longshore = await connect(url);
  try {
    const worker = longshore.worker({ tasks: [task], concurrency });
    await warmUp(longshore, `warm-up-${settings.index}`, settings);
    parent.say('ready');
    await parent.told('go');
    const cpu = process.cpuUsage();
    const startedAtMs = monotonicMs();
    let lastAtMs = startedAtMs;
    longshore.on('worker.settled', () => {
      lastAtMs = monotonicMs();
    });
    const saying = setInterval(() => parent.say('completed', worker.tally.completed), SAY_EVERY_MS);
    await worker.start();
    await parent.told('stop');
    clearInterval(saying);
    const { user, system } = process.cpuUsage(cpu);
    await worker.stop();
    const { completed } = worker.tally;
    return { runs, strangers, completed, startedAtMs, lastAtMs, cpuMs: (user + system) / 1_000 };
  } finally {
    await longshore.close();
  }
});
