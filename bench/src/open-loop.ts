import { type DurationSummary, Durations } from './histogram.ts';
import { CheckFailed, requireExactlyOnce, type Sabotage } from './ledger.ts';
import { monotonicMs } from './pacer.ts';
import type { HandoverRun, HandoverSettings } from './programs/handover.ts';
import type { LoopSettings, SendReport, WorkReport } from './programs/latency.ts';
import { type Program, type ProgramOptions, start } from './runner.ts';
import type { Place } from './site.ts';

/**
 * Runs a sender and a worker, in one process or in two, whichever system they are of: jobs are sent at their intended
 * times, and each latency counts from there.
 */
export interface OpenLoop {
  /** What is measured, for messages. */
  readonly name: string;
  readonly place: Place;
  readonly rate: number;
  readonly seconds: number;
  /** Seconds before, at the same rate; these jobs are checked but not timed. */
  readonly warmup: number;
  readonly concurrency: number;
  readonly sabotage: Sabotage | null;
  readonly signal: AbortSignal;
  /** Of another system: the file of its program. */
  readonly file?: string;
}

export interface Measured {
  /** From the intended send time to the start of the handler. */
  readonly pickup: Timing;
  /** From the intended send time to the acknowledgement of the enqueue. */
  readonly acknowledgement: Timing;
  /** How late the sender itself was; it is part of both figures above. */
  readonly senderLate: Timing;
}

export interface Timing extends DurationSummary {
  /** HdrHistogram, compressed V2, base64, µs. */
  readonly histogram: string;
}

export async function measureLoop(loop: OpenLoop, processes: 1 | 2): Promise<Measured> {
  const unmeasured = Math.round(loop.rate * loop.warmup);
  const jobs = unmeasured + Math.round(loop.rate * loop.seconds);
  const [sent, worked] = await (processes === 1 ? oneProcess : twoProcesses)(loop, jobs);
  requireExactlyOnce(loop.name, jobs, worked);
  return {
    pickup: timing(worked.pickupMs.subarray(unmeasured)),
    acknowledgement: timing(sent.ackMs.subarray(unmeasured)),
    senderLate: timing(sent.lateMs.subarray(unmeasured)),
  };
}

type Reports = readonly [SendReport, WorkReport];

interface Result {
  readonly sent: SendReport | null;
  readonly worked: WorkReport | null;
}

function program(loop: OpenLoop, jobs: number, role: LoopSettings['role'], signal: AbortSignal) {
  const { rate, seconds, warmup, concurrency, sabotage, file } = loop;
  const { url, server } = loop.place;
  const options: ProgramOptions = { timeoutMs: (seconds + warmup) * 3_000 + 60_000, signal };
  const settings: LoopSettings = {
    measure: 'latency',
    role,
    url,
    server,
    rate,
    jobs,
    concurrency,
    sabotage,
  };
  return start<Result>('latency', settings, file === undefined ? options : { ...options, file });
}

async function oneProcess(loop: OpenLoop, jobs: number): Promise<Reports> {
  const both = program(loop, jobs, 'both', loop.signal);
  await both.heard('ready');
  both.tell('go');
  const { sent, worked } = await both.result;
  return [sent as SendReport, worked as WorkReport];
}

function twoProcesses(loop: OpenLoop, jobs: number): Promise<Reports> {
  return together(loop.signal, async (signal) => {
    const worker = program(loop, jobs, 'worker', signal);
    const sender = program(loop, jobs, 'sender', signal);
    await Promise.all([worker.heard('ready'), sender.heard('ready')]);
    await requireSameClock([worker, sender]);
    sender.tell('go');
    const [{ worked }, { sent }] = await Promise.all([worker.result, sender.result]);
    return [sent as SendReport, worked as WorkReport] as const;
  });
}

/** The bare way of a committed row and a notification from one process to another, ms by notification. */
export function measureHandover(
  { place, rate, seconds, signal }: Pick<OpenLoop, 'place' | 'rate' | 'seconds' | 'signal'>,
  count: number,
): Promise<Float64Array> {
  return together(signal, async (signal) => {
    const { url, server } = place;
    const options = { timeoutMs: seconds * 3_000 + 60_000, signal };
    const begin = (role: HandoverSettings['role']): Program<HandoverRun> =>
      start<HandoverRun>('handover', { role, url, server, rate, count } satisfies HandoverSettings, options);
    const listener = begin('listener');
    // One makes the schema, the other finds it.
    await listener.heard('ready');
    const sender = begin('sender');
    await sender.heard('ready');
    await requireSameClock([listener, sender]);
    sender.tell('go');
    await sender.result;
    listener.tell('sent');
    const { heardMs, ledger } = await listener.result;
    if (ledger === null || heardMs === null || ledger.missing + ledger.repeated + ledger.strangers > 0)
      throw new CheckFailed(
        `Of ${count} bare notifications, ${ledger?.missing} were not heard. No figures are given.`,
      );
    return heardMs;
  });
}

/** When one of several processes fails, the others are of no use. */
export async function together<T>(signal: AbortSignal, use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const failed = new AbortController();
  try {
    return await use(AbortSignal.any([signal, failed.signal]));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

/** Latencies across processes are differences of two processes' clocks: those must be one clock. */
export async function requireSameClock(programs: readonly Program<unknown>[]): Promise<void> {
  for (const program of programs) {
    const before = monotonicMs();
    program.tell('time');
    const theirs = (await program.heard('time')) as number;
    const after = monotonicMs();
    if (theirs < before || theirs > after)
      throw new CheckFailed(
        `The monotonic clocks of two processes differ: ${theirs} ms is not between ${before} and ${after} ms. No figures are given.`,
      );
  }
}

export function timing(valuesMs: Iterable<number>): Timing {
  const durations = new Durations(valuesMs);
  if (durations.negative > 0)
    throw new CheckFailed(
      `${durations.negative} durations are negative, so a clock went backwards. No figures are given.`,
    );
  return { ...durations.summary(), histogram: durations.encoded() };
}
