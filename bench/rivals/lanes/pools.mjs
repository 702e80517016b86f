/**
 * Round trips of a no-op job through one pool of threads or processes, and nothing else: the input goes as JSON text and
 * comes back as it is. Started by `npm run bench -- lanes`, each pool in a process of its own.
 */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import { Pool } from '../../../src/execution/pool.ts';
import { startProcess } from '../../../src/execution/process.ts';
import { startThread } from '../../../src/execution/thread.ts';
import { Ledger } from '../../src/ledger.ts';
import { program } from '../../src/program.ts';
import { noop } from './tasks.mjs';

program(async ({ pool: name, hosts, inFlight, jobs, warmup, sabotage }) => {
  // Some of these pools do not keep the process alive.
  const alive = setInterval(() => undefined, 1e6);
  const pool = POOLS[name](hosts);
  const ledger = new Ledger(jobs * inFlight.length, sabotage);
  await roundTrips(pool, Math.max(...inFlight), warmup, -1, null);
  const microsPerJob = {};
  for (const [index, parallel] of inFlight.entries()) {
    const began = performance.now();
    await roundTrips(pool, parallel, jobs, index * jobs, ledger);
    microsPerJob[parallel] = ((performance.now() - began) / jobs) * 1_000;
  }
  await pool.close();
  clearInterval(alive);
  const report = ledger.report();
  return { microsPerJob, ledger: report, counts: { completed: report.jobs - report.missing } };
});

/** Jobs are numbered from `first`. What comes back must be what was sent. */
async function roundTrips(pool, parallel, jobs, first, ledger) {
  let next = 0;
  const loop = async () => {
    while (next < jobs) {
      const n = first + next;
      next += 1;
      const input = `{"n":${n}}`;
      if ((await pool.run(input)) === input) ledger?.mark(n);
    }
  };
  await Promise.all(Array.from({ length: parallel }, loop));
}

const PLAIN = new URL('plain.mjs', import.meta.url);

const POOLS = {
  'longshore, threads': (size) => own('thread', startThread, size),
  'longshore, processes': (size) => own('process', startProcess, size),
  piscina: (size) => piscina(size, {}),
  'piscina, atomics disabled': (size) => piscina(size, { atomics: 'disabled' }),
  'tinypool, threads': (size) => tinypool(size, 'worker_threads'),
  'tinypool, processes': (size) => tinypool(size, 'child_process'),
  'workerpool, threads': (size) => workers(size, 'thread'),
  'workerpool, processes': (size) => workers(size, 'process'),
};

/** With the jobs that wait before it, as in a worker: they start where there is room, or right behind one that just started. */
function own(lane, start, size) {
  const waiting = [];
  const owner = {};
  const pump = () => {
    while (waiting.length > 0) {
      const early = pool.room <= 0;
      if (early && !pool.roomBehind(noop, owner)) return;
      const next = waiting.shift();
      const job = new PlainJob(next.input, early, () => waiting.unshift(next));
      pool.run(noop, job, { owner }).then(next.resolve, next.reject);
    }
  };
  const pool = new Pool({
    lane,
    start,
    size,
    jobsPerHost: 1,
    recycleJobs: 0,
    settings: { recycleBytes: null, heapBytesMax: null, printTo: 'stderr' },
    onHost: () => undefined,
    onRoom: pump,
  });
  const run = (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      pump();
    });
  return { run, close: () => pool.close() };
}

/** As much of a job as a worker would give. */
class PlainJob {
  id = '1';
  queue = 'default';
  key = null;
  attempt = 1;
  attemptsMax = 1;
  payloadBytesMax = 1_000_000;
  abortReason = null;
  stopper = null;
  shared = null;
  ranMs = null;

  constructor(input, early, putBack) {
    this.input = input;
    this.early = early;
    this.putBack = putBack;
  }

  begin() {}
  context() {}
}

function piscina(size, options) {
  const pool = new Piscina({ filename: PLAIN.href, minThreads: size, maxThreads: size, ...options });
  return { run: (input) => pool.run(input), close: () => pool.destroy() };
}

function tinypool(size, runtime) {
  const pool = new Tinypool({ filename: PLAIN.href, runtime, minThreads: size, maxThreads: size });
  return { run: (input) => pool.run(input), close: () => pool.destroy() };
}

function workers(size, workerType) {
  const file = fileURLToPath(new URL('workerpool-worker.mjs', import.meta.url));
  const pool = workerpool.pool(file, { workerType, maxWorkers: size });
  return { run: (input) => pool.exec('noop', [input]), close: () => pool.terminate() };
}
