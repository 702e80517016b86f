import { setTimeout as wait } from 'node:timers/promises';
import { Durations } from '../histogram.ts';
import { CheckFailed } from '../ledger.ts';
import { monotonicMs, pace, systemPacerClock } from '../pacer.ts';
import { round } from '../spread.ts';
import { BusyCores } from './busy-cores.ts';
import type { EngineBench, EngineInput, EngineName, Kind, Sent, Side } from './engine.ts';
import { type Started, startWorker, type WorkerStart } from './start-worker.ts';

/** What is measured of a worker, ours or the engine's own, each time with a fresh process and a queue of its own. */
export interface MeasureSettings {
  readonly engine: EngineName;
  readonly works: number;
  readonly slots: number;
  readonly rate: number;
  readonly rateSeconds: number;
  readonly blockSeconds: number;
  readonly jobs: number;
  readonly targetCpu: number;
  readonly tunerSeconds: number;
  /** Of one work that computes. */
  readonly iterations: number;
}

export interface Throughput {
  readonly perSecond: number;
  /** From the intended start of a work to its end. */
  readonly p95Ms: number;
  /** Processor time of the worker's process for each work. */
  readonly cpuMsPerWork: number;
}

/** So many works, then a steady rate of them, for the latencies. */
export function throughput(settings: MeasureSettings, side: Side, bench: EngineBench): Promise<Throughput> {
  const { works, slots, rate, rateSeconds } = settings;
  const { load } = bench;
  let sent: Promise<unknown>[] = [];
  const before = async (queue: string): Promise<void> => {
    sent = await fill(settings, queue, bench);
  };
  return withWorker(settings, { side, slots, ...(load.fills ? { before } : {}) }, bench, async (worker) => {
    if (!load.fills) await worker.together(WARM_UP, AT_A_TIME, 'echo');
    await worker.begin();
    const began = monotonicMs();
    await (load.fills ? Promise.all(sent) : worker.together(works, AT_A_TIME, 'echo'));
    await load.settled(worker.queue);
    const tookMs = monotonicMs() - began;
    await worker.measure();
    const latencies = await worker.steadily(rate, rate * rateSeconds, 'echo');
    const { cpuMs } = await worker.stop();
    return {
      perSecond: round((works * 1_000) / tookMs),
      p95Ms: new Durations(latencies).summary().p95,
      cpuMsPerWork: round(cpuMs / works),
    };
  });
}

/** Ten at a time, until the engine has all of them. */
async function fill(
  { works }: MeasureSettings,
  queue: string,
  { load }: EngineBench,
): Promise<Promise<unknown>[]> {
  const sent: Promise<unknown>[] = [];
  let n = 0;
  const line = Array.from({ length: AT_A_TIME }, async () => {
    while (n < works) {
      n += 1;
      const { ended } = await load.send({ queue, kind: 'echo', input: { n, iterations: 0, seconds: 0 } });
      sent.push(ended);
    }
  });
  await Promise.all(line);
  return sent;
}

export interface Blocked {
  /** The work that held its thread counted as completed at its first attempt. */
  readonly completed: boolean;
  readonly neighboursP95Ms: number;
}

/** One work holds its thread for longer than any lock or heartbeat timeout; meanwhile others come at a steady rate. */
export function blocked(settings: MeasureSettings, side: Side, bench: EngineBench): Promise<Blocked> {
  const { blockSeconds, slots } = settings;
  return withWorker(settings, { side, slots }, bench, async (worker) => {
    await worker.together(WARM_UP, AT_A_TIME, 'echo');
    await worker.begin();
    const block = worker.execute('block').then(
      () => true,
      () => false,
    );
    const latencies = await worker.steadily(NEIGHBOURS_RATE, NEIGHBOURS_RATE * blockSeconds, 'echo');
    const completed = (await block) && (await settledInTime(worker.queue, bench));
    await worker.measure();
    await worker.stop();
    return { completed, neighboursP95Ms: new Durations(latencies).summary().p95 };
  });
}

/** From a cancel to the end of a work whose code listens to nothing, ms; null where the engine cancels no work. */
export function cancelled(settings: MeasureSettings, bench: EngineBench): Promise<number | null> {
  const { slots } = settings;
  return withWorker(
    { ...settings, blockSeconds: CANCEL_MAX_SECONDS },
    { side: 'ours', slots },
    bench,
    async (worker) => {
      await worker.together(WARM_UP, AT_A_TIME, 'echo');
      const { ended, cancelling } = await worker.send('block');
      if (cancelling === undefined) return null;
      const end = ended.catch(() => undefined);
      await Promise.race([cancelling.running(), worker.failure]);
      const began = monotonicMs();
      await cancelling.cancel();
      await Promise.race([end, worker.failure]);
      return round(monotonicMs() - began);
    },
  );
}

const CANCEL_MAX_SECONDS = 600;

/** A completion that the engine refuses leaves the work with it. */
function settledInTime(queue: string, { load }: EngineBench): Promise<boolean> {
  return Promise.race([load.settled(queue).then(() => true), wait(SETTLE_MS).then(() => false)]);
}

const SETTLE_MS = 10_000;

/** Works a second that all cores together get through, sent at once. */
export function computing(settings: MeasureSettings, bench: EngineBench): Promise<number> {
  const { jobs, slots } = settings;
  return withWorker(settings, { side: 'ours', slots }, bench, async (worker) => {
    await worker.together(WARM_UP, AT_A_TIME, 'compute');
    await worker.begin();
    await worker.together(jobs, jobs, 'compute');
    await worker.measure();
    const { firstAtMs, lastAtMs } = await worker.stop();
    return (jobs * 1_000) / (lastAtMs - firstAtMs);
  });
}

/** Mean distance of the machine's load from the tuner's target, in points of 100. */
export function tuned(settings: MeasureSettings, side: Side, bench: EngineBench): Promise<number> {
  const { targetCpu, tunerSeconds } = settings;
  return withWorker(settings, { side, slots: null }, bench, async (worker) => {
    await worker.begin();
    const over = new AbortController();
    worker.keep(TUNER_WORKS, 'mixed', over.signal).catch(() => undefined);
    await wait(TUNER_SETTLE_MS);
    const busy = new BusyCores();
    const distances: number[] = [];
    for (let sample = 0; sample < tunerSeconds; sample += 1) {
      await wait(1_000);
      distances.push(Math.abs(busy.share() - targetCpu) * 100);
    }
    // Activities under way may have to wait for long yet: the worker's process is killed.
    over.abort();
    return round(distances.reduce((sum, one) => sum + one, 0) / distances.length);
  });
}

const WARM_UP = 20;
const AT_A_TIME = 10;
const NEIGHBOURS_RATE = 5;
/** More than the target lets run. */
const TUNER_WORKS = 40;
const TUNER_SETTLE_MS = 10_000;

interface Sending extends Started {
  send(kind: Kind): Promise<Sent>;
  execute(kind: Kind): Promise<unknown>;
  together(count: number, atATime: number, kind: Kind): Promise<void>;
  keep(atATime: number, kind: Kind, over: AbortSignal): Promise<void>;
  steadily(rate: number, count: number, kind: Kind): Promise<number[]>;
}

async function withWorker<Result>(
  settings: MeasureSettings,
  { side, ...start }: WorkerStart & { readonly side: Side },
  bench: EngineBench,
  use: (worker: Sending) => Promise<Result>,
): Promise<Result> {
  const worker = await startWorker(settings, side, start, bench);
  let n = 0;
  const send = (kind: Kind): Promise<Sent> => {
    n += 1;
    const input: EngineInput = { n, iterations: settings.iterations, seconds: settings.blockSeconds };
    return bench.load.send({ queue: worker.queue, kind, input });
  };
  const execute = (kind: Kind): Promise<unknown> =>
    Promise.race([send(kind).then(({ ended }) => ended), worker.failure]);
  try {
    return await use({
      ...worker,
      send,
      execute,
      async together(count, atATime, kind) {
        let left = count;
        const line = Array.from({ length: Math.min(atATime, count) }, async () => {
          for (; left > 0; ) {
            left -= 1;
            await execute(kind);
          }
        });
        await Promise.all(line);
      },
      async keep(atATime, kind, over) {
        const line = Array.from({ length: atATime }, async () => {
          while (!over.aborted) await execute(kind);
        });
        await Promise.all(line);
      },
      async steadily(rate, count, kind) {
        const latencies: Promise<number>[] = [];
        await pace({
          rate,
          count,
          clock: systemPacerClock,
          send: (_, intendedMs) => {
            const ended = execute(kind).then(() => monotonicMs() - intendedMs);
            ended.catch(() => undefined);
            latencies.push(ended);
          },
        });
        return Promise.all(latencies);
      },
    });
  } catch (error) {
    throw error instanceof CheckFailed
      ? error
      : new CheckFailed(`${settings.engine}, ${side}: ${String(error)}`);
  } finally {
    worker.kill();
  }
}
