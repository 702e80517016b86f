// Round trip of a no-op job in pools of two, 1 and 16 in flight, five rounds by turns: least and median, microseconds a job.
setInterval(() => {}, 1e6);

import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import { Pool } from '../../src/execution/pool.ts';
import { startProcess } from '../../src/execution/process.ts';
import { startThread } from '../../src/execution/thread.ts';
import { noop } from './tasks.mjs';

const here = (f) => new URL(f, import.meta.url).href;
const input = '{"i":1}';
const own = (kind, start) => {
  const p = new Pool({
    lane: kind,
    start,
    size: 2,
    jobsPerHost: 1,
    recycleJobs: 0,
    settings: { recycleBytes: null, heapBytesMax: null, printTo: 'stdout' },
    onHost() {},
  });
  return {
    run: () =>
      p.run(noop, {
        id: '1',
        queue: 'q',
        key: null,
        attempt: 1,
        attemptsMax: 1,
        input,
        payloadBytesMax: 1e6,
        abortReason: null,
        stopper: null,
        begin() {},
        context() {},
      }),
    close: () => p.close(),
  };
};
const all = {
  'own thread': () => own('thread', startThread),
  'own process': () => own('process', startProcess),
  piscina: () => {
    const p = new Piscina({ filename: here('plain.mjs'), minThreads: 2, maxThreads: 2 });
    return { run: () => p.run(input), close: () => p.destroy() };
  },
  'piscina async atomics off': () => {
    const p = new Piscina({ filename: here('plain.mjs'), minThreads: 2, maxThreads: 2, atomics: 'disabled' });
    return { run: () => p.run(input), close: () => p.destroy() };
  },
  'tinypool thread': () => {
    const p = new Tinypool({ filename: here('plain.mjs'), minThreads: 2, maxThreads: 2 });
    return { run: () => p.run(input), close: () => p.destroy() };
  },
  'tinypool process': () => {
    const p = new Tinypool({
      filename: here('plain.mjs'),
      runtime: 'child_process',
      minThreads: 2,
      maxThreads: 2,
    });
    return { run: () => p.run(input), close: () => p.destroy() };
  },
  'workerpool thread': () => {
    const p = workerpool.pool(new URL('workerpool-worker.mjs', import.meta.url).pathname, {
      workerType: 'thread',
      maxWorkers: 2,
    });
    return { run: () => p.exec('noop', [input]), close: () => p.terminate() };
  },
  'workerpool process': () => {
    const p = workerpool.pool(new URL('workerpool-worker.mjs', import.meta.url).pathname, {
      workerType: 'process',
      maxWorkers: 2,
    });
    return { run: () => p.exec('noop', [input]), close: () => p.terminate() };
  },
};
const out = {};
const N = Number(process.env.N || 3000);
async function go(pool, inflight, n) {
  let left = n;
  const t = performance.now();
  await Promise.all(
    Array.from({ length: inflight }, async () => {
      while (left-- > 0) await pool.run();
    }),
  );
  return ((performance.now() - t) / n) * 1000;
}
for (let round = 0; round < 5; round++)
  for (const [name, make] of Object.entries(all)) {
    const pool = make();
    try {
      await go(pool, 16, 2000);
      for (const f of [1, 16]) {
        const key = `${name} ${f}`;
        out[key] ??= [];
        out[key].push(await go(pool, f, N));
      }
    } catch (e) {
      console.log(name, e.message);
    }
    await pool.close();
  }
for (const [k, v] of Object.entries(out)) {
  v.sort((a, b) => a - b);
  console.log(k.padEnd(30), 'min', v[0].toFixed(0), 'median', v[2].toFixed(0));
}
process.exit(0);
