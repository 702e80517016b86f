import assert from 'node:assert/strict';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, nextEvent, onEachStore, record } from '../stage.ts';
import { fine, loopsOn, waits } from './tasks/failures.ts';

const LEASE_MS = 1_000;
const ABORT_GRACE_MS = 500;

for (const strategy of ['thread', 'process'] as const) {
  for (const task of [waits, loopsOn]) {
    onEachStore(
      `a lost lease stops the code of '${task.name}' in its ${strategy}, and the next job runs`,
      async ({ connectThrough }) => {
        const clock = new FakeClock();
        let beat = (): Promise<void> => Promise.resolve();
        let reap = (): Promise<unknown> => Promise.resolve();
        // Beats only when told to: meanwhile the lease expires.
        const keepAlive =
          (store: Store): Store['keepAlive'] =>
          ({ worker, leaseMs, onBeat }) => {
            const load = { slots: 0, slotsUsed: 0, profiles: [] };
            beat = async () => onBeat(await store.beat({ worker, leaseMs, load }));
            return { update: () => undefined, beat, close: async () => undefined };
          };
        const longshore = await connectThrough(
          (store) => {
            reap = () => store.reap({ crashesMax: 1 });
            return { keepAlive: keepAlive(store) };
          },
          { clock },
        );
        const worker = longshore.worker({
          ...{ tasks: [fine, waits, loopsOn], strategy, threads: 1, processes: 1, concurrency: 1 },
          ...{ leaseMs: LEASE_MS, abortGraceMs: ABORT_GRACE_MS, roles: ['processing'] },
        });
        await worker.start();
        const job = await longshore.enqueue(task, null);
        const logged = async () => {
          await clock.advance(1);
          return ((await longshore.jobs.get(job.id))?.logs.length ?? 0) > 0;
        };
        await eventually(logged);
        const hosts = record(longshore, 'host.ended');
        await clock.advance(LEASE_MS);
        await reap();
        await beat();
        const ended = nextEvent(longshore, 'host.ended');
        const abandoned = nextEvent(longshore, 'job.abandoned');
        await clock.advance(ABORT_GRACE_MS);
        const { reason, stopped } = await abandoned;
        assert.deepEqual([reason, stopped], ['LEASE_LOST', true]);
        assert.equal((await ended).why, 'killed');
        assert.equal(worker.tally.lost, 1);
        assert.equal(await (await longshore.enqueue(fine, 'next')).result(), 'next');
        assert.equal(hosts.length, 1);
      },
      ['memory'],
    );
  }
}
