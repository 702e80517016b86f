// CPU-bound: rate on 2 threads / 2 processes against one core's rate x 2, each alone in its run of time; pickup latency of inline jobs meanwhile
import { connect, defineTask } from '../../src/index.ts';
import { work } from './tasks.mjs';

const l = await connect('memory:');
const quick = defineTask({ name: 'quick', queue: 'quick', run: ({ input }) => performance.now() - input });
const qw = l.worker({ tasks: [quick] });
await qw.start();
const N = 60;
const burn = work.run;
for (const strategy of ['process', 'thread']) {
  const w = l.worker({ tasks: [work], strategy, concurrency: 8 });
  await w.start();
  for (const j of await l.enqueueMany(work, Array(8).fill(null))) await j.result();
  let t = performance.now();
  for (let i = 0; i < N / 2; i++) burn({});
  const one = (performance.now() - t) / (N / 2);
  t = performance.now();
  const jobs = await l.enqueueMany(work, Array(N).fill(null));
  const lat = [];
  let on = true;
  const probe = (async () => {
    while (on) {
      lat.push(await (await l.enqueue(quick, performance.now())).result());
      await new Promise((r) => setTimeout(r, 5));
    }
  })();
  for (const j of jobs) await j.result();
  const wall = performance.now() - t;
  on = false;
  await probe;
  lat.sort((a, b) => a - b);
  console.log(
    strategy,
    'one core',
    one.toFixed(1),
    'ms/job; efficiency',
    ((one * N) / 2 / wall).toFixed(2),
    'inline pickup p50',
    lat[lat.length >> 1].toFixed(2),
    'p99',
    lat[Math.floor(lat.length * 0.99)].toFixed(2),
    'n',
    lat.length,
  );
  await w.stop();
}
await l.close();
