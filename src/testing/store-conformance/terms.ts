import assert from 'node:assert/strict';
import type { JobMeta } from '../../core/meta.ts';
import type { JobFilter } from '../../store/store.ts';
import type { It } from './area.ts';
import type { Trial } from './trial.ts';
import { BROUGHT_STATES, completed, ids, spec, T0 } from './trial.ts';

function metaOf(meta: JobMeta): string {
  return JSON.stringify(meta);
}

async function found({ store }: Trial, filter: Omit<JobFilter, 'limit'>): Promise<string[]> {
  return ids((await store.list({ ...filter, limit: 100 })).jobs);
}

/** Correlation ids and tags: core/terms.ts. */
export function termsArea(it: It): void {
  for (const state of BROUGHT_STATES)
    it(`a job in state ${state} is found by its correlation id and each of its tags`, async (trial) => {
      const id = await trial.add({ meta: metaOf({ correlationId: 'order-7', tags: ['eu', 'big', 'eu'] }) });
      await trial.add({ queue: 'other', meta: metaOf({ correlationId: 'order-77', tags: ['bigger'] }) });
      await trial.add({ queue: 'other' });
      await trial.bring(id, 'q', state);
      for (const filter of [
        { correlationId: 'order-7' },
        { tag: 'eu' },
        { tag: 'big' },
        { correlationId: 'order-7', tag: 'big' },
        { correlationId: 'order-7', queue: 'q', task: 'task', states: [state] },
      ])
        assert.deepEqual(await found(trial, filter), [id], JSON.stringify(filter));
      for (const filter of [
        { correlationId: 'order-' },
        { correlationId: 'eu' },
        { tag: 'order-7' },
        { tag: 'b' },
        { correlationId: 'order-7', tag: 'bigger' },
        { correlationId: 'order-7', queue: 'other' },
        { tag: 'eu', states: [] },
      ])
        assert.deepEqual(await found(trial, filter), [], JSON.stringify(filter));
      assert.deepEqual((await trial.store.list({ tag: 'eu', limit: 5 })).jobs, await trial.store.get([id]));
    });

  it('terms of any characters are told apart', async (trial) => {
    const texts = [
      `a;b,c|"d"'e' \\ %_*`,
      '\u{1f600} ü',
      'A',
      'a',
      '"correlationId"',
      'correlationId',
      'tags',
    ];
    const added = new Map<string, string>();
    for (const text of texts)
      added.set(text, await trial.add({ meta: metaOf({ correlationId: text, tags: [text] }) }));
    for (const [text, id] of added) {
      assert.deepEqual(await found(trial, { correlationId: text }), [id], text);
      assert.deepEqual(await found(trial, { tag: text }), [id], text);
    }
  });

  it('the job whose id is the correlation id is found with those that have it, unless it has another one', async (trial) => {
    const root = await trial.add();
    const tagged = await trial.add({ meta: metaOf({ tags: ['correlationId', 'x'] }) });
    const other = await trial.add({ meta: metaOf({ correlationId: 'its own' }) });
    const children: Record<string, string> = {};
    for (const parent of [root, tagged, other])
      children[parent] = await trial.add({ meta: metaOf({ correlationId: parent, tags: ['x'] }) });
    const expect = async (): Promise<void> => {
      assert.deepEqual(await found(trial, { correlationId: root }), [children[root], root]);
      assert.deepEqual(await found(trial, { correlationId: tagged }), [children[tagged], tagged]);
      assert.deepEqual(await found(trial, { correlationId: tagged, tag: 'x' }), [children[tagged], tagged]);
      assert.deepEqual(await found(trial, { correlationId: root, tag: 'x' }), [children[root]]);
      assert.deepEqual(await found(trial, { correlationId: other }), [children[other]]);
    };
    await expect();
    for (const lease of await trial.claim()) await trial.settle(lease, completed());
    await expect();
    assert.deepEqual(await found(trial, { correlationId: root, states: ['ready'] }), []);
  });

  it('pages of a term hold each of its jobs once, the newest first, whichever have ended', async (trial) => {
    const marked = Array.from({ length: 25 }, (_, index) =>
      spec({
        queue: index % 2 === 0 ? 'q' : 'later',
        meta: index % 5 === 4 ? null : metaOf({ tags: ['page'] }),
      }),
    );
    await trial.store.enqueue(marked, { now: T0 });
    for (const lease of await trial.claim()) await trial.settle(lease, completed());
    const expected = ids(marked.filter(({ meta }) => meta !== null)).reverse();
    for (const limit of [1, 3, 20, 21]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<Trial['store']['list']>> = await trial.store.list({
          tag: 'page',
          limit,
          ...(cursor === null ? {} : { cursor }),
        });
        seen.push(...ids(page.jobs));
        cursor = page.cursor;
      } while (cursor !== null);
      assert.deepEqual(seen, expected);
    }
  });

  it('a job that takes the place of another has its own terms', async (trial) => {
    const unique = { key: 'task/u', mode: 'replace', periodMs: 0 } as const;
    const id = await trial.add({ unique, meta: metaOf({ correlationId: 'first', tags: ['both'] }) });
    await trial.enqueue({ unique, meta: metaOf({ correlationId: 'second', tags: ['both'] }) });
    assert.deepEqual(await found(trial, { correlationId: 'first' }), []);
    assert.deepEqual(await found(trial, { correlationId: 'second', tag: 'both' }), [id]);
    await trial.enqueue({ unique, meta: null });
    assert.deepEqual(await found(trial, { tag: 'both' }), []);
  });

  it('jobs that are removed, cleared, pruned or not kept are found no more, and a redriven one is', async (trial) => {
    const meta = metaOf({ correlationId: 'gone', tags: ['gone'] });
    const { store } = trial;
    const removed = await trial.add({ meta });
    await trial.control({ type: 'remove', id: removed });
    await trial.add({ queue: 'cleared', meta });
    await store.clear('cleared', ['ready']);
    const old = await trial.add({ meta });
    await trial.bring(old, 'q', 'completed');
    await store.configureQueue('q', { retention: { completed: { ageMs: 1, count: null } } });
    await store.prune({ now: T0 + 10 });
    await store.configureQueue('none', { retention: { completed: { ageMs: 0, count: null } } });
    const dropped = await trial.add({ queue: 'none', meta });
    await trial.bring(dropped, 'none', 'completed');
    assert.deepEqual(await found(trial, { tag: 'gone' }), []);
    assert.deepEqual(await found(trial, { correlationId: 'gone' }), []);
    const again = await trial.add({ queue: 'again', meta });
    await trial.bring(again, 'again', 'failed');
    await trial.control({ type: 'redrive', id: again });
    assert.deepEqual(await found(trial, { correlationId: 'gone', states: ['ready'] }), [again]);
  });
}
