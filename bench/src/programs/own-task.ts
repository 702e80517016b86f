import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Durations } from '../histogram.ts';
import type { Sabotage } from '../ledger.ts';
import { type AnyTask, connect, type WorkerSettings } from '../longshore.ts';
import { type Cell, type CellEnd, type CellFigures, hostsOf } from '../own-task/cell.ts';
import { faultOf } from '../own-task/faults.ts';
import { Feeder } from '../own-task/feeder.ts';
import { type HandlerFacts, handlerUrl } from '../own-task/handler.ts';
import { isWritten } from '../own-task/profile.ts';
import type { ProfileSettings } from '../own-task/profiler.ts';
import { RunWatch } from '../own-task/run-watch.ts';
import { tally } from '../own-task/tally.ts';
import { peakMemoryMb, type Use, useNow } from '../own-task/use.ts';
import { program } from '../program.ts';
import { round } from '../spread.ts';

/**
 * One cell of a task of the user's own, or its trial. The handler runs in a worker as the user would start it, in this
 * process or below it; a queue that never runs dry is measured for a while after a warm-up.
 */
export interface OwnTaskSettings extends Omit<HandlerFacts, 'marks' | 'profile'> {
  readonly url: string;
  readonly cell: Cell;
  readonly cores: number;
  readonly inputs: readonly unknown[];
  /** Null: only these inputs, each once, and then it ends. */
  readonly window: Window | null;
  /** Longest time of one job. */
  readonly jobTimeoutMs: number;
  /** For the marks of the handler. */
  readonly marksFile: string;
  readonly sabotage: Sabotage | null;
  readonly profile: ProfileSettings | null;
}

export interface Window {
  readonly warmupMs: number;
  readonly measureMs: number;
  /** It is longer until so many jobs have ended in it ... */
  readonly jobsMin: number;
  /** ... but no longer than this, if one job has. */
  readonly limitMs: number;
  /** To be in the queue before the worker starts. */
  readonly jobsFirst: number;
}

program<OwnTaskSettings, CellEnd>(async (settings) => {
  try {
    return await measure(settings);
  } catch (error) {
    return { fault: faultOf(error as Error, 'failed') };
  }
});

/** A cell that failed is left as it is: a handler that hangs would keep the connection from closing. The process ends. */
async function measure(settings: OwnTaskSettings): Promise<CellEnd> {
  const { url, marksFile, window, inputs } = settings;
  writeFileSync(marksFile, '');
  const task = await loadTask(settings);
  const longshore = await connect(url, { logger: false });
  const cell: Running = {
    watch: new RunWatch(longshore),
    feeder: new Feeder(longshore, task, inputs),
    settings,
  };
  const { watch, feeder } = cell;
  await feeder.add(window === null ? inputs.length : window.jobsFirst);
  const worker = longshore.worker({ tasks: [task], ...workerSettings(settings) });
  await worker.start();
  const timed = window === null ? await runAll(cell) : await runWindow(cell, window);
  if (watch.fault !== null) return { fault: watch.fault };
  await feeder.rest();
  await worker.stop({ graceMs: settings.jobTimeoutMs });
  if (watch.fault !== null) return { fault: watch.fault };
  watch.close();
  const counts = await tally(longshore, marksFile, feeder.enqueued, settings.sabotage);
  await longshore.close();
  if ('kind' in counts) return { fault: counts };
  return { figures: { ...figuresOf(settings, watch, timed), counts } };
}

interface Running {
  readonly watch: RunWatch;
  readonly feeder: Feeder;
  readonly settings: OwnTaskSettings;
}

async function loadTask({ module, task, marksFile, profile }: OwnTaskSettings): Promise<AnyTask> {
  const profiled = profile === null ? '' : JSON.stringify(profile);
  const url = handlerUrl({ module, task, marks: marksFile, profile: profiled });
  return ((await import(url)) as { readonly task: AnyTask }).task;
}

function workerSettings({ cell, cores }: OwnTaskSettings): Partial<WorkerSettings> {
  const { strategy, concurrency, prefetchMax } = cell;
  const { hosts, jobsPerHost } = hostsOf(concurrency, cores);
  return {
    strategy,
    concurrency,
    prefetchMax,
    threads: hosts,
    processes: hosts,
    jobsPerHost,
    printTo: 'stderr',
  };
}

/** The part of a cell that is timed. */
interface Timed {
  readonly before: Use;
  readonly after: Use;
  readonly memoryMb: number;
  /** ms */
  readonly loopDelay: { readonly p99: number; readonly max: number };
}

/** Until every job has ended, or one failed. */
async function runAll(cell: Running): Promise<Timed> {
  const timing = startTiming();
  await until(cell, () => cell.watch.ended >= cell.feeder.enqueued);
  return timing.stop();
}

async function runWindow(cell: Running, window: Window): Promise<Timed> {
  const { watch, feeder, settings } = cell;
  const { concurrency } = settings.cell;
  const began = performance.now();
  const feed = (): void => {
    const perSecond = (1_000 * watch.ended) / (performance.now() - began);
    feeder.keep(Math.ceil(3 * concurrency + AHEAD_SECONDS * perSecond), watch.ended);
  };
  // Each slot has run a job, unless they are too slow for that; one has in any case, so threads and processes have started.
  const warm = (ms: number): boolean => ms >= window.warmupMs && watch.ended >= concurrency;
  await until(cell, (ms) => warm(ms) || (ms >= window.limitMs / 2 && watch.ended > 0), feed);
  const timing = startTiming();
  const endedBefore = watch.ended;
  const enough = (ms: number): boolean => {
    const jobs = watch.ended - endedBefore;
    return (ms >= window.measureMs && jobs >= window.jobsMin) || (ms >= window.limitMs && jobs > 0);
  };
  await until(cell, enough, feed);
  const timed = timing.stop();
  // Each thread ends its profile at a job, and one of them takes a heap snapshot.
  if (settings.profile !== null) await until(cell, profilesEnd(settings.profile), feed);
  return timed;
}

function profilesEnd({ folder, ms: profileMs }: ProfileSettings): (ms: number) => boolean {
  return (ms) => isWritten(folder) || ms > profileMs + PROFILE_WRITE_MS;
}

const PROFILE_WRITE_MS = 60_000;

/** So much work is in the queue: what is claimed ahead, and what runs while more is added. */
const AHEAD_SECONDS = 0.5;

/** Looks at every end of a job, and now and then besides. Ends early where something went wrong. */
async function until(
  { watch, settings }: Running,
  done: (ms: number) => boolean,
  each: () => void = () => undefined,
): Promise<void> {
  const began = performance.now();
  let timer: NodeJS.Timeout | undefined;
  for (;;) {
    const now = performance.now();
    if (watch.oldestStart !== null && now - watch.oldestStart > settings.jobTimeoutMs)
      watch.hang(settings.jobTimeoutMs);
    if (watch.fault !== null || done(now - began)) return;
    each();
    const look = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOOK_MS);
    });
    await Promise.race([watch.next(), look]);
    clearTimeout(timer);
  }
}

const LOOK_MS = 50;

function startTiming(): { stop(): Timed } {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const before = useNow();
  return {
    stop() {
      const after = useNow();
      delay.disable();
      // The histogram has the time between two of its own looks, so a loop that is never late has its resolution.
      const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - DELAY_RESOLUTION_MS);
      return {
        before,
        after,
        memoryMb: peakMemoryMb(),
        loopDelay: { p99: late(delay.percentile(99)), max: late(delay.max) },
      };
    },
  };
}

const DELAY_RESOLUTION_MS = 10;

function figuresOf(
  { cell, cores }: OwnTaskSettings,
  watch: RunWatch,
  { before, after, memoryMb, loopDelay }: Timed,
): Omit<CellFigures, 'counts'> {
  const ms = after.at - before.at;
  const runMs = new Durations();
  let [jobs, ended] = [0, 0];
  for (const [start, end] of watch.spans()) {
    jobs += shareWithin(start, end, before.at, after.at);
    if (end < before.at || end > after.at) continue;
    ended += 1;
    runMs.record(end - start);
  }
  const machineMs = after.machine.allMs - before.machine.allMs;
  return {
    ...cell,
    ...hostsOf(cell.concurrency, cores),
    seconds: round(ms / 1_000),
    jobs: ended,
    jobsPerSecond: round((1_000 * jobs) / ms),
    runMs: runMs.summary(),
    runHistogram: runMs.encoded(),
    cpuCores: round((after.cpuMs - before.cpuMs) / ms),
    machineBusy: machineMs > 0 ? round((after.machine.busyMs - before.machine.busyMs) / machineMs) : 0,
    loopBusy: round((after.loopMs - before.loopMs) / ms),
    loopDelayMs: { p99: round(loopDelay.p99), max: round(loopDelay.max) },
    memoryMb: Math.round(memoryMb),
  };
}

/** How much of a job was within the time. Counting whole jobs would favour bursts that end just before its end. */
function shareWithin(start: number, end: number, from: number, to: number): number {
  const within = Math.min(end, to) - Math.max(start, from);
  if (within < 0) return 0;
  return end > start ? within / (end - start) : 1;
}
