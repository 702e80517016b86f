import type { Sabotage } from '../ledger.ts';
import { monotonicMs, pace, systemPacerClock } from '../pacer.ts';
import type { Parent } from '../program.ts';
import type { ServerPlace } from '../site.ts';
import type { Graph } from './graph.ts';
import { Marks, type MarksReport } from './marks.ts';

/**
 * How runs are started and carried in one process or in two, the same way for Longshore and every other system: what differs
 * is a `FlowSystem`, a few functions that go through the system's public interface alone.
 */
export interface PlaySettings {
  /** Runs at their intended times; all at once; one after the other. */
  readonly part: 'paced' | 'burst' | 'fanOut';
  readonly role: 'starter' | 'worker' | 'both';
  /** One of shape.ts; absent for a fan-out. */
  readonly shape: string;
  readonly graph: Graph;
  readonly url: string;
  readonly server: ServerPlace | null;
  /** Runs a second, of `paced`. */
  readonly rate: number;
  /** These count before the others, and are checked but not timed. */
  readonly warmup: number;
  readonly runs: number;
  /** Of `fanOut`, by run. */
  readonly items: readonly number[];
  readonly concurrency: number;
  /** All of it takes no longer, or runs are lost. */
  readonly timeoutMs: number;
  readonly sabotage: Sabotage | null;
}

export interface FlowSystem {
  /** Makes what the system needs; it may be there already. */
  prepare(): Promise<void>;
  /** Starts these runs; resolves when they are durable. */
  start(runs: readonly number[]): Promise<unknown>;
  /** Resolves to whether the run came to its right result, once it has ended. */
  result(run: number): Promise<boolean>;
  /** Whether `result` waits rather than asks again and again. */
  readonly waits: boolean;
  work(marks: Marks): Promise<{ stop(): Promise<unknown> }>;
  /** Jobs that run for a step of a run. */
  jobs(run: number, step: number): number;
  /** Jobs in the store by state; null where it does not say. */
  counts(): Promise<Readonly<Record<string, number>> | null>;
  close(): Promise<unknown>;
}

export interface StartReport {
  /** By run: when it was to be started, when it was durable, and when its starter had its result (NaN unless awaited), on the machine's monotonic clock. */
  readonly intended: Float64Array;
  readonly durable: Float64Array;
  readonly ended: Float64Array;
  /** Runs without their right result, and how the first of them failed. */
  readonly wrong: number;
  readonly fault: string | null;
}

export interface CarryReport {
  readonly marks: MarksReport;
  /** Runs × steps as they should have run. */
  readonly expected: Uint32Array;
  readonly counts: Readonly<Record<string, number>> | null;
}

export interface PlayReport {
  readonly started: StartReport | null;
  readonly carried: CarryReport | null;
}

/** What both sides said. */
export interface Played {
  readonly started: StartReport;
  readonly carried: CarryReport;
}

export async function play(system: FlowSystem, settings: PlaySettings, parent: Parent): Promise<PlayReport> {
  const { role, warmup, runs, graph, sabotage } = settings;
  parent.told('time').then(() => parent.say('time', monotonicMs()));
  await system.prepare();
  const total = warmup + runs;
  const expected = Uint32Array.from({ length: total * graph.length }, (_, at) =>
    system.jobs(Math.floor(at / graph.length), at % graph.length),
  );
  const marks = role === 'starter' ? null : new Marks(total, graph.length, sum(expected));
  const worker = marks === null ? null : await system.work(marks);
  parent.say('ready');
  const started = role === 'worker' ? null : await startAll(system, settings, parent, marks);
  if (marks === null || worker === null) return { started, carried: null };
  if (role === 'worker') {
    void marks.allRan.then(() => parent.say('ran'));
    await parent.told('stop');
  }
  await marks.allRan;
  await worker.stop();
  if (sabotage !== null) marks.report.times[0] = sabotage === 'lost' ? 0 : 2;
  return { started, carried: { marks: marks.report, expected, counts: await system.counts() } };
}

function sum(numbers: Uint32Array): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function startAll(
  system: FlowSystem,
  settings: PlaySettings,
  parent: Parent,
  marks: Marks | null,
): Promise<StartReport> {
  const { part, warmup, runs, timeoutMs } = settings;
  const total = warmup + runs;
  const report = {
    intended: new Float64Array(total),
    durable: new Float64Array(total),
    ended: new Float64Array(total).fill(Number.NaN),
    wrong: 0,
    fault: null as string | null,
  };
  const awaitEnd = async (run: number): Promise<void> => {
    const fault = await within(timeoutMs, system.result(run)).then(
      (isRight) => (isRight ? null : 'its result is another one'),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    report.ended[run] = monotonicMs();
    if (fault === null) return;
    report.wrong += 1;
    report.fault ??= `run ${run}: ${fault}`;
  };
  const begin = async (numbers: readonly number[], intended: number): Promise<void> => {
    for (const run of numbers) report.intended[run] = intended;
    await system.start(numbers);
    const now = monotonicMs();
    for (const run of numbers) report.durable[run] = now;
  };
  await parent.told('go');
  const numbers = Array.from({ length: total }, (_, run) => run);
  if (part === 'fanOut') {
    for (const run of numbers) {
      await begin([run], monotonicMs());
      await awaitEnd(run);
    }
  } else if (part === 'burst') {
    const [before, after] = [numbers.slice(0, warmup), numbers.slice(warmup)];
    if (warmup > 0) await begin(before, monotonicMs());
    await Promise.all(before.map(awaitEnd));
    await begin(after, monotonicMs());
    // Nobody waits while they run: what is measured is the carrying.
    await (marks === null ? parent.told('ran') : marks.allRan);
    await Promise.all(after.map(awaitEnd));
  } else {
    await pace({
      rate: settings.rate,
      count: total,
      clock: systemPacerClock,
      send: (run, intended) => begin([run], intended).then(() => (system.waits ? awaitEnd(run) : undefined)),
    });
    if (!system.waits) {
      await (marks === null ? parent.told('ran') : marks.allRan);
      await Promise.all(numbers.map(awaitEnd));
      report.ended.fill(Number.NaN);
    }
  }
  return report;
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it did not end within ${ms / 1_000} s`)), ms);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
