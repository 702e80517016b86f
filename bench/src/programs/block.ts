import type { Input } from '../inputs.ts';
import { connect, defineTask, type Longshore } from '../longshore.ts';
import { monotonicMs } from '../pacer.ts';
import { type Parent, program } from '../program.ts';
import { countJobs } from '../workload.ts';

/**
 * One of two workers: `blocker` runs a handler inline that computes for many lease times without a pause; `other` takes
 * the jobs that are sent meanwhile, and would take the blocking one as well, were it given out again.
 */
export interface BlockSettings {
  readonly role: 'blocker' | 'other';
  readonly url: string;
  readonly blockSeconds: number;
  readonly leaseMs: number;
  /** That are sent by programs/latency.ts; the blocking job has the number after the last of them. */
  readonly jobs: number;
}

export interface BlockRun {
  /** How often each job ran here, by its number. */
  readonly runs: Uint8Array;
  readonly strangers: number;
  /** Leases that were found lost, or expired. */
  readonly lost: number;
  /** On the machine's monotonic clock; 0 where it is the other's. */
  readonly blockBeganAtMs: number;
  readonly blockEndedAtMs: number;
  /** From the intended send time to the start of the handler, ms, by job. */
  readonly pickupMs: Float64Array;
  /** On the machine's monotonic clock. */
  readonly lastPickupAtMs: number;
  /** Of the blocking job, where it ran: its attempt, how it ended, and how many leases of it were lost. */
  readonly blocked: { readonly attempt: number; readonly state: string; readonly crashes: number } | null;
  readonly counts: Readonly<Record<string, number>>;
}

program<BlockSettings, BlockRun>(async (settings, parent) => {
  parent.told('time').then(() => parent.say('time', monotonicMs()));
  const longshore = await connect(settings.url);
  try {
    return await work(longshore, settings, parent);
  } finally {
    await longshore.close();
  }
});

const TASK = 'block';

async function work(longshore: Longshore, settings: BlockSettings, parent: Parent): Promise<BlockRun> {
  const { role, leaseMs, jobs } = settings;
  const seen = new Seen(jobs);
  let lost = 0;
  for (const event of ['job.lost', 'job.expired'] as const)
    longshore.on(event, () => {
      lost += 1;
    });
  const block = blockTask(settings, seen, parent);
  const timed = defineTask({ name: 'timed', run: ({ input }) => seen.pickUp(input as TimedInput) });
  const worker = longshore.worker({ tasks: role === 'blocker' ? [block] : [block, timed], leaseMs });
  parent.say('ready');
  await parent.told('work');
  await worker.start();
  parent.say('working');
  const handle = role === 'blocker' ? await longshore.enqueue(block, { n: jobs }) : null;
  // Whoever blocks hears it when that is over, and waits until the outcome is in the store.
  await parent.told('stop');
  await worker.stop();
  const job = handle === null ? null : await longshore.jobs.get(handle.id);
  const { runs, strangers, pickupMs, lastPickupAtMs, blockBeganAtMs, blockEndedAtMs } = seen;
  return {
    runs,
    strangers,
    lost,
    pickupMs,
    lastPickupAtMs,
    blockBeganAtMs,
    blockEndedAtMs,
    blocked: job && { attempt: job.attempt, state: job.state, crashes: job.crashes },
    counts: await countJobs(longshore),
  };
}

interface TimedInput extends Input {
  readonly intendedMs: number;
}

/** Its handler waits for one turn of the event loop, so that the parent hears of it, and for none after that. */
function blockTask({ blockSeconds }: BlockSettings, seen: Seen, parent: Parent) {
  return defineTask({
    name: TASK,
    queue: TASK,
    run: async ({ input }) => {
      parent.say('blocking');
      await new Promise((resolve) => setTimeout(resolve, SAY_MS));
      seen.blockBeganAtMs = monotonicMs();
      while (monotonicMs() - seen.blockBeganAtMs < blockSeconds * 1_000);
      seen.blockEndedAtMs = monotonicMs();
      seen.mark((input as Input).n);
      parent.say('blocked');
    },
  });
}

const SAY_MS = 20;

/** What ran in this process. */
class Seen {
  readonly runs: Uint8Array;
  readonly pickupMs: Float64Array;
  strangers = 0;
  lastPickupAtMs = 0;
  blockBeganAtMs = 0;
  blockEndedAtMs = 0;

  constructor(jobs: number) {
    this.runs = new Uint8Array(jobs + 1);
    this.pickupMs = new Float64Array(jobs);
  }

  mark(n: number): void {
    const times = this.runs[n];
    if (times === undefined) this.strangers += 1;
    else this.runs[n] = Math.min(255, times + 1);
  }

  pickUp({ n, intendedMs }: TimedInput): void {
    this.lastPickupAtMs = monotonicMs();
    this.pickupMs[n] = this.lastPickupAtMs - intendedMs;
    this.mark(n);
  }
}
