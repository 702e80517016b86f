import { setTimeout as delay } from 'node:timers/promises';
import type { Link, TcpProxy } from '../proxy.ts';
import { assertAllRan } from './account.ts';
import { onEachServer, type Scene } from './failing-server.ts';
import { seeded } from './seeded.ts';

const SEED = Number(process.env.CRASH_SEED ?? 20_260_101);
const JOBS = 5_000;
const WORKERS = 4;

onEachServer(
  `random faults of server and network over ${JOBS} jobs lose none and settle none twice (seed ${SEED})`,
  async (scene) => {
    const { fleet, t } = scene;
    const random = seeded(SEED);
    const proxy = await scene.proxy();
    const url = await scene.freshUrl();
    const direct = await scene.connect(url);
    const far = `${proxy.through(url)}&timeoutMs=500`;
    const settings = { leaseMs: 1_500, crashesMax: 1_000, concurrency: 8, pollMs: 500 };
    const workers = Array.from({ length: WORKERS }, () => fleet.start('serve', { url: far, settings }));
    await Promise.all(workers.map((worker) => fleet.ready(worker)));
    // Receipts may be lost, and with them what tells of a settlement; that a handler ended is always told.
    let done = 0;
    let acked = 0;
    fleet.onSaid((_from, said) => {
      if (said.say === 'ended') done += 1;
      if (said.say === 'acked') acked += said.ids.length;
    });
    fleet.start('insist', { url: far, jobs: JOBS, batch: 25, inputMs: 1 });
    const faults = faultsOf(scene, proxy, random);
    while (done < JOBS * 0.9) {
      const from = done;
      const jobs = Math.floor(random() * 400);
      await fleet.until(() => done >= from + jobs || done >= JOBS * 0.9);
      const [name, strike] = faults[Math.floor(random() * faults.length)] as (typeof faults)[number];
      t.diagnostic(`after ${done} jobs: ${name}`);
      await strike();
    }
    await fleet.until(() => acked >= JOBS);
    await assertAllRan(fleet, direct);
    for (const worker of workers) worker.tell('stop');
    await Promise.all(workers.map((worker) => worker.exited));
  },
);

type Fault = readonly [name: string, strike: () => Promise<void> | void];

/** What can go wrong; each ends by itself, or is ended by the time a call may take. */
function faultsOf(scene: Scene, proxy: TcpProxy, random: () => number): readonly Fault[] {
  const { server } = scene;
  const some = (links: Link[]): Link[] => links.filter(() => random() < 0.5);
  return [
    ['the server is killed', () => server.kill().then(() => server.restart())],
    ['the server is restarted', () => server.restart()],
    [
      'the server stands still',
      async () => {
        server.pause();
        await delay(random() * 1_000);
        server.resume();
      },
    ],
    ['the server ends all connections', () => scene.dropConnections('all')],
    ['the server ends those for hints', () => scene.dropConnections('ears')],
    ['some connections break', () => some(proxy.links()).forEach((link) => void link.cut())],
    ['some connections are half open', () => some(proxy.links()).forEach((link) => void link.stall())],
    ['some connections are deaf', () => some(proxy.links('verbs')).forEach((link) => void link.deafen())],
    ['hearts are half open', () => proxy.links('heart').forEach((link) => void link.stall())],
    [
      'nobody is let in',
      async () => {
        proxy.admits = 'none';
        proxy.cut();
        await delay(random() * 300);
        proxy.admits = 'all';
      },
    ],
  ];
}
