/**
 * What is measured of every other job system, in the same way: a burn-down, pickup latency, and queued jobs for the
 * memory they take. A system is given as a set of functions that go through its public interface alone.
 *
 * Each program is a child process of `npm run bench`; bench/src/runner.ts starts it and bench/src/ledger.ts judges it.
 *
 * @typedef {object} System
 * @property {() => Promise<void>} prepare makes what the system needs on the server; it may be there already
 * @property {(inputs: object[]) => Promise<unknown>} enqueueMany one batch, durable when resolved
 * @property {(input: object) => Promise<unknown>} enqueue one job, durable when resolved
 * @property {(handler: (input: any) => void) => Promise<{ stop(): Promise<unknown> }>} work starts a worker
 * @property {() => Promise<number>} unfinished jobs that wait or run, as the server knows
 * @property {() => Promise<Record<string, number>>} counts jobs by state; what is deleted when it ends is `completed`
 * @property {() => Promise<unknown>} purge deletes all jobs
 * @property {() => Promise<unknown>} close
 * @property {(onCompleted: () => void) => Promise<{ stop(): Promise<unknown> }>} [workApart] starts a worker whose handlers
 * run in other threads or processes, and say by bench/src/run-marks.ts that they ran
 * @property {() => Promise<unknown>} [pause] nothing is given out until `resume`
 * @property {() => Promise<unknown>} [resume]
 *
 * @typedef {object} Settings
 * @property {'burndown' | 'sandboxed' | 'latency' | 'fill'} measure
 * @property {{ url: string, name: string }} server the name is a schema or a prefix of its own
 * @property {number} jobs
 * @property {number} concurrency
 * @property {boolean} [keeps] whether finished jobs are kept
 * @property {'lost' | 'repeated' | null} sabotage falsifies the ledger
 */

import { makeInputs } from '../src/inputs.ts';
import { Ledger } from '../src/ledger.ts';
import { monotonicMs, pace, systemPacerClock } from '../src/pacer.ts';
import { startPhase } from '../src/phase.ts';
import { program } from '../src/program.ts';
import { keepMarksIn, ledgerOf } from '../src/run-marks.ts';

/** @param {(settings: Settings) => System} open */
export function measure(open) {
  program(async (settings, parent) => {
    const system = open(settings);
    try {
      await system.prepare();
      return await MEASURES[settings.measure](system, settings, parent);
    } finally {
      await system.close();
    }
  });
}

const MEASURES = { burndown, sandboxed, latency, fill };

async function burndown(system, { jobs, payload, batch, warmup, sabotage }) {
  await warmUp(system, warmup, batch, payload);
  const inputs = makeInputs(jobs, payload);
  const ledger = new Ledger(jobs, sabotage);
  const enqueuing = startPhase();
  await fillWith(system, inputs, batch);
  const enqueue = enqueuing.end(jobs);

  const processing = startPhase();
  const began = performance.now();
  const line = finishLine(jobs);
  const worker = await system.work(({ n }) => {
    ledger.mark(n);
    line.mark();
  });
  const startMs = performance.now() - began;
  await line.reached;
  const process = processing.end(jobs, await settledAt(system));
  await worker.stop();
  return {
    enqueue,
    process,
    startMs: Math.round(startMs),
    ledger: ledger.report(),
    counts: await countsOf(system, jobs),
  };
}

/** As programs/lanes.ts does it: the worker's threads or processes run before the clock starts, and go on. */
async function sandboxed(system, { jobs, payload, batch, warmup, marksFile, sabotage }) {
  keepMarksIn(marksFile);
  const warm = finishLine(warmup);
  const line = finishLine(jobs);
  let ran = 0;
  const worker = await system.workApart(() => {
    ran += 1;
    (ran > warmup ? line : warm).mark();
  });
  if (warmup > 0) await fillWith(system, Array(warmup).fill({ n: -1 }), batch);
  else warm.end();
  await warm.reached;
  await settledAt(system);
  await system.pause();
  const enqueuing = startPhase();
  await fillWith(system, makeInputs(jobs, payload), batch);
  const enqueue = enqueuing.end(jobs);
  const processing = startPhase();
  await system.resume();
  await line.reached;
  const process = processing.end(jobs, await settledAt(system));
  await worker.stop();
  const { completed, ...others } = await countsOf(system, warmup + jobs);
  return {
    enqueue,
    process,
    ledger: ledgerOf(marksFile, jobs, sabotage).report(),
    counts: { ...others, completed: completed - warmup },
  };
}

async function fill(system, { jobs, payload, batch }) {
  await fillWith(system, makeInputs(jobs, payload), batch);
  return { counts: await system.counts() };
}

/** The same way on other jobs first, which are deleted then. */
async function warmUp(system, jobs, batch, payload) {
  if (jobs === 0) return;
  await fillWith(system, makeInputs(jobs, payload), batch);
  const line = finishLine(jobs);
  const worker = await system.work(line.mark);
  await line.reached;
  await settledAt(system);
  await worker.stop();
  await system.purge();
}

async function fillWith(system, inputs, batch) {
  for (let start = 0; start < inputs.length; start += batch)
    await system.enqueueMany(inputs.slice(start, start + batch));
}

/** Reached when as many handlers ran, or when none did for 30 s: then jobs are missing, and the ledger will tell. */
function finishLine(jobs) {
  let ran = 0;
  let lastAt = performance.now();
  let finish;
  const reached = new Promise((resolve) => {
    finish = resolve;
  });
  const watchdog = setInterval(() => {
    if (performance.now() - lastAt > STALL_MS) end();
  }, 500);
  const end = () => {
    clearInterval(watchdog);
    finish();
  };
  return {
    reached,
    end,
    mark: () => {
      lastAt = performance.now();
      ran += 1;
      if (ran === jobs) end();
    },
  };
}

const STALL_MS = 30_000;
const LOOK_MS = 5;

/** When the server knew of nothing unfinished any more, seen at most a look and a round trip late. */
async function settledAt(system) {
  const deadline = performance.now() + STALL_MS;
  while ((await system.unfinished()) > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  return performance.now();
}

async function latency(system, { role, rate, jobs, sabotage }, parent) {
  parent.told('time').then(() => parent.say('time', monotonicMs()));
  const ledger = new Ledger(jobs, sabotage);
  const pickupMs = new Float64Array(jobs);
  const line = role === 'sender' ? null : finishLine(jobs);
  const worker =
    line === null
      ? null
      : await system.work(({ n, intendedMs }) => {
          pickupMs[n] = monotonicMs() - intendedMs;
          ledger.mark(n);
          line.mark();
        });
  parent.say('ready');
  const sent = role === 'worker' ? null : await send(system, rate, jobs, parent);
  if (worker === null) return { sent, worked: null };
  await line.reached;
  await settledAt(system);
  await worker.stop();
  return { sent, worked: { pickupMs, ledger: ledger.report(), counts: await countsOf(system, jobs) } };
}

async function send(system, rate, jobs, parent) {
  await parent.told('go');
  const ackMs = new Float64Array(jobs);
  const lateMs = new Float64Array(jobs);
  const acknowledged = [];
  await pace({
    rate,
    count: jobs,
    clock: systemPacerClock,
    send: (n, intendedMs) => {
      lateMs[n] = monotonicMs() - intendedMs;
      acknowledged.push(
        system.enqueue({ n, intendedMs }).then(() => {
          ackMs[n] = monotonicMs() - intendedMs;
        }),
      );
    },
  });
  await Promise.all(acknowledged);
  return { ackMs, lateMs };
}

/** A system that deletes what is completed has none to count: they are those that are not there any more. */
async function countsOf(system, jobs) {
  const counts = await system.counts();
  if (counts.completed !== undefined) return counts;
  const others = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { ...counts, completed: jobs - others };
}
