import { setTimeout as sleep } from 'node:timers/promises';
import { type Evidence, Ledger, type Sabotage } from '../ledger.ts';
import { connect } from '../longshore.ts';
import { program } from '../program.ts';
import { countJobs, finishLine, noopTask } from '../workload.ts';

/** A started worker with nothing to do; at the end it gets one job, to prove that it was awake all the time. */
export interface IdleSettings {
  readonly url: string;
  readonly seconds: number;
  readonly sabotage: Sabotage | null;
}

export interface IdleRun extends Evidence {
  readonly wallMs: number;
  /** Processor time of all threads, user and system. */
  readonly cpuMs: number;
  /** Times a thread gave the processor up by itself: about how often something woke. */
  readonly wakeUps: number;
}

/** Start-up, and the compiler's work on it, is over by then. */
const SETTLE_MS = 2_000;

program<IdleSettings, IdleRun>(async ({ url, seconds, sabotage }) => {
  const ledger = new Ledger(1, sabotage);
  const longshore = await connect(url);
  try {
    const task = noopTask(ledger);
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    await sleep(SETTLE_MS);

    const { voluntaryContextSwitches } = process.resourceUsage();
    const cpu = process.cpuUsage();
    const began = performance.now();
    await sleep(seconds * 1_000);
    const wallMs = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    const wakeUps = process.resourceUsage().voluntaryContextSwitches - voluntaryContextSwitches;

    const finished = finishLine(longshore, worker, 1);
    await longshore.enqueue(task, { n: 0 });
    await finished;
    await worker.stop();
    const counts = await countJobs(longshore);
    return { wallMs, cpuMs: (user + system) / 1_000, wakeUps, ledger: ledger.report(), counts };
  } finally {
    await longshore.close();
  }
});
