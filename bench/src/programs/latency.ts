import type { Input } from '../inputs.ts';
import { type Evidence, Ledger, type Sabotage } from '../ledger.ts';
import { connect, defineTask, type Longshore } from '../longshore.ts';
import { monotonicMs, pace, systemPacerClock } from '../pacer.ts';
import { type Parent, program } from '../program.ts';
import type { ServerPlace } from '../site.ts';
import { countJobs, finishLine } from '../workload.ts';

/**
 * Sends jobs at their intended times, or runs them, or both. All times are of the machine's monotonic clock, which the
 * parent has compared between processes; each job carries its intended time. Programs of other systems are sent the
 * same settings.
 */
export interface LoopSettings {
  readonly measure: 'latency';
  readonly role: 'both' | 'sender' | 'worker';
  readonly url: string;
  readonly server: ServerPlace | null;
  readonly rate: number;
  readonly jobs: number;
  readonly concurrency: number;
  readonly sabotage: Sabotage | null;
}

export interface SendReport {
  /** From the intended time to the acknowledgement that the job is durable, ms, by job. */
  readonly ackMs: Float64Array;
  /** From the intended time to the call of enqueue, ms, by job: how late the instrument itself was. */
  readonly lateMs: Float64Array;
}

export interface WorkReport extends Evidence {
  /** From the intended time to the start of the handler, ms, by job. */
  readonly pickupMs: Float64Array;
}

interface TimedInput extends Input {
  readonly intendedMs: number;
}

program<LoopSettings, { readonly sent: SendReport | null; readonly worked: WorkReport | null }>(
  async (settings, parent) => {
    parent.told('time').then(() => parent.say('time', monotonicMs()));
    const longshore = await connect(settings.url);
    try {
      const { role } = settings;
      const working = role === 'sender' ? null : await startWork(longshore, settings);
      parent.say('ready');
      const sent = role === 'worker' ? null : await send(longshore, settings, parent);
      return { sent, worked: working === null ? null : await working.report() };
    } finally {
      await longshore.close();
    }
  },
);

const TASK = 'timed';

async function send(longshore: Longshore, { rate, jobs }: LoopSettings, parent: Parent): Promise<SendReport> {
  await parent.told('go');
  const ackMs = new Float64Array(jobs);
  const lateMs = new Float64Array(jobs);
  const acknowledged: Promise<void>[] = [];
  await pace({
    rate,
    count: jobs,
    clock: systemPacerClock,
    send: (n, intendedMs) => {
      lateMs[n] = monotonicMs() - intendedMs;
      const enqueued = longshore.enqueue(TASK, { n, intendedMs } satisfies TimedInput);
      acknowledged.push(
        enqueued.then(() => {
          ackMs[n] = monotonicMs() - intendedMs;
        }),
      );
    },
  });
  await Promise.all(acknowledged);
  return { ackMs, lateMs };
}

async function startWork(
  longshore: Longshore,
  { jobs, concurrency, sabotage }: LoopSettings,
): Promise<{ report(): Promise<WorkReport> }> {
  const ledger = new Ledger(jobs, sabotage);
  const pickupMs = new Float64Array(jobs);
  const task = defineTask({
    name: TASK,
    run: ({ input }) => {
      const { n, intendedMs } = input as TimedInput;
      pickupMs[n] = monotonicMs() - intendedMs;
      ledger.mark(n);
    },
  });
  const worker = longshore.worker({ tasks: [task], concurrency });
  await worker.start();
  const finished = finishLine(longshore, worker, jobs);
  return {
    async report() {
      await finished;
      await worker.stop();
      return { pickupMs, ledger: ledger.report(), counts: await countJobs(longshore) };
    },
  };
}
