import assert from 'node:assert/strict';
import type { JobSpec } from '../../store/store.ts';
import type { It } from './area.ts';
import { BROUGHT_STATES, completed, ids, only, retried, spec, T0 } from './trial.ts';

/** Punctuation that stores divide lists by, quotes, and characters beyond the basic plane. */
const META = JSON.stringify({ correlationId: `a;b,c|"d"'e' \\ \u001f \u{1f600} ü`, tags: ['x', 'y'] });

export function metaArea(it: It): void {
  for (const state of BROUGHT_STATES) {
    it(`meta is there in state ${state}`, async (trial) => {
      const [withMeta, without] = [await trial.add({ meta: META }), await trial.add({ queue: 'other' })];
      await trial.bring(withMeta, 'q', state);
      await trial.bring(without, 'other', state);
      assert.equal((await trial.job(withMeta)).meta, META);
      assert.equal((await trial.job(without)).meta, null);
      const { jobs } = await trial.store.list({ limit: 5 });
      assert.deepEqual(
        jobs.map(({ meta }) => meta),
        [null, META],
      );
    });
  }

  for (const [what, changes] of Object.entries({
    'a job alone': {},
    'a job with a key': { key: 'k' },
    'a job with a unique key': { unique: { key: 'task/u', mode: 'existing', periodMs: 0 } },
    'a job with both keys, and nothing else': {
      key: 'k',
      input: null,
      unique: { key: 'task/u', mode: 'existing', periodMs: 0 },
    },
    'a job with a long input': { input: JSON.stringify('x'.repeat(100_000)) },
    'a job for later': { delayMs: 5 },
  } satisfies Record<string, Partial<JobSpec>>)) {
    it(`${what} is claimed with its meta, again and again`, async (trial) => {
      const id = await trial.add({ ...changes, meta: META });
      const now = T0 + 5;
      assert.equal((await trial.take({ now })).meta, META);
      const lost = only((await trial.store.reap({ now: now + 60_000 })).reaped);
      assert.equal(lost.id, id);
      const lease = await trial.take({ now: now + 60_000 });
      assert.equal(lease.meta, META);
      await trial.settle(lease, { type: 'released' }, now + 60_000);
      const released = await trial.take({ now: now + 60_000 });
      assert.equal(released.meta, META);
      await trial.settle(released, retried(0), now + 60_000);
      const last = await trial.take({ now: now + 60_000 });
      assert.equal(last.meta, META);
      await trial.store.annotate([{ id, token: last.token, progress: '1' }]);
      await trial.settle(last, completed('2'), now + 60_000);
      const { meta, progress, result } = await trial.job(id);
      assert.deepEqual([meta, progress, result], [META, '1', '2']);
    });
  }

  it('a redriven job keeps its meta', async (trial) => {
    const id = await trial.add({ meta: META });
    await trial.bring(id, 'q', 'failed');
    await trial.control({ type: 'redrive', id });
    assert.equal((await trial.job(id)).meta, META);
    const lease = await trial.take();
    assert.equal(lease.meta, META);
    await trial.settle(lease, completed());
    assert.equal((await trial.job(id)).meta, META);
  });

  it('a replaced job takes the meta of the new spec, and none where that has none', async (trial) => {
    const unique = { key: 'task/u', mode: 'replace', periodMs: 0 } as const;
    const id = await trial.add({ unique });
    for (const meta of [META, null, META, '{}']) {
      assert.deepEqual(await trial.enqueue({ unique, meta }), { status: 'replaced', id, state: 'ready' });
      assert.equal((await trial.job(id)).meta, meta);
    }
    assert.equal((await trial.take()).meta, '{}');
  });

  it('the meta of a held unique key stays', async (trial) => {
    const unique = { key: 'task/u', mode: 'existing', periodMs: 0 } as const;
    const id = await trial.add({ unique, meta: META });
    assert.equal((await trial.enqueue({ unique, meta: '{}' })).status, 'existing');
    assert.equal((await trial.job(id)).meta, META);
  });

  it('a batch of which some have meta is claimed in order, each with its own', async (trial) => {
    const count = 300;
    const metaOf = (index: number): string | null => (index % 3 === 1 ? JSON.stringify({ index }) : null);
    const specs = Array.from({ length: count }, (_, index) => spec({ meta: metaOf(index) }));
    await trial.store.enqueue(specs, { now: T0 });
    const leases = await trial.claim();
    assert.deepEqual(ids(leases), ids(specs));
    assert.deepEqual(
      leases.map(({ meta }) => meta),
      specs.map(({ meta }) => meta),
    );
    const settlements = leases.map(({ id, token }) => ({ id, token, outcome: completed() }));
    await trial.store.settle(settlements, { now: T0 });
    const jobs = await trial.store.get(ids(specs));
    assert.deepEqual(
      jobs.map((job) => [job?.state, job?.meta]),
      specs.map(({ meta }) => ['completed', meta]),
    );
  });

  it('a batch of which all have the same meta is claimed and completed with it', async (trial) => {
    const specs = Array.from({ length: 100 }, () => spec({ meta: META }));
    await trial.store.enqueue(specs, { now: T0 });
    const leases = await trial.claim();
    assert.ok(leases.length === 100 && leases.every(({ meta }) => meta === META));
    const settlements = leases.map(({ id, token }) => ({ id, token, outcome: completed('1') }));
    await trial.store.settle(settlements, { now: T0 });
    const jobs = await trial.store.get(ids(specs));
    assert.ok(jobs.every((job) => job?.state === 'completed' && job.meta === META && job.result === '1'));
  });

  it('a meta of some kilobytes comes back whole', async (trial) => {
    const meta = JSON.stringify({ tracestate: 'ü'.repeat(5_000) });
    const lease = await trial.start({ meta });
    assert.equal(lease.meta, meta);
  });
}
