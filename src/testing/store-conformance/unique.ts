import assert from 'node:assert/strict';
import { isTerminal } from '../../core/job-state.ts';
import { type UniqueMode, type UniqueScope, type UniqueSpec, uniqueSpec } from '../../core/unique.ts';
import { RETENTION_DEFAULT } from '../../store/store.ts';
import type { It } from './area.ts';
import {
  BROUGHT_STATES,
  type BroughtState,
  completed,
  failed,
  ids,
  only,
  retried,
  spec,
  T0,
  type Trial,
} from './trial.ts';

const MODES: readonly UniqueMode[] = ['reject', 'existing', 'replace', 'debounce', 'throttle'];
const PERIOD_MS = 10_000;

export function uniqueArea(it: It): void {
  for (const mode of MODES) {
    for (const state of BROUGHT_STATES) {
      const [within, after] = [expectedStatus(mode, state, true), expectedStatus(mode, state, false)];
      it(`mode ${mode} meets a ${state} holder: ${within}, after its period ${after}`, async (trial) => {
        await meet(trial, mode, state, { status: within, queue: 'within', now: T0 + PERIOD_MS - 1 });
        await meet(trial, mode, state, { status: after, queue: 'after', now: T0 + PERIOD_MS });
      });
    }
  }

  for (const mode of ['reject', 'existing', 'replace'] as const) {
    it(`mode ${mode} without a period holds the key while the job lives, and no longer`, async (trial) => {
      const unique = key(mode);
      const first = await trial.start({ unique });
      await trial.settle(first, retried(5_000));
      assert.notEqual((await trial.enqueue({ unique })).status, 'created');
      await trial.settle(await trial.take({ now: T0 + 90_000 }), completed(), T0 + 90_000);
      assert.equal((await trial.enqueue({ unique }, T0 + 90_000)).status, 'created');
    });
  }

  it('two specs of one batch meet each other', async ({ store }) => {
    const unique = key('existing');
    const [first, second] = [spec({ unique }), spec({ unique })];
    const receipts = await store.enqueue([first, spec(), second], { now: T0 });
    assert.deepEqual(
      receipts.map(({ status }) => status),
      ['created', 'created', 'existing'],
    );
    assert.equal(receipts[2]?.id, first.id);
  });

  it('keys differ by every character', async (trial) => {
    for (const text of ['key', 'Key', 'key ', 'e\u0301', 'é', 'key\u0001', 'key1', '%', '_'])
      assert.equal(
        (await trial.enqueue({ unique: key('reject', { key: text }) })).status,
        'created',
        JSON.stringify(text),
      );
  });

  for (const scope of ['task', 'queue', 'store'] as const satisfies readonly UniqueScope[]) {
    it(`scope ${scope} tells where a key must be unique`, async (trial) => {
      const enqueue = (task: string, queue: string) =>
        trial.enqueue({
          task,
          queue,
          unique: uniqueSpec({ key: 'k', scope }, { task, queue, input: null }, String),
        });
      assert.equal((await enqueue('a', 'x')).status, 'created');
      assert.equal((await enqueue('b', 'x')).status, scope === 'task' ? 'created' : 'existing');
      assert.equal((await enqueue('a', 'y')).status, scope === 'queue' ? 'created' : 'existing');
      assert.equal((await enqueue('c', 'z')).status, scope === 'store' ? 'existing' : 'created');
    });
  }

  it('tasks and keys whose names have slashes do not meet', async (trial) => {
    const enqueue = (task: string, text: string) =>
      trial.enqueue({
        task,
        unique: uniqueSpec({ key: text, mode: 'replace' }, { task, queue: 'q', input: null }, String),
      });
    const first = await enqueue('mail', 'welcome/7');
    const second = await enqueue('mail/welcome', '7');
    assert.deepEqual([first.status, second.status], ['created', 'created']);
    assert.equal((await trial.job(first.id)).task, 'mail');
    assert.deepEqual((await enqueue('mail/welcome', '7')).id, second.id);
  });

  it('the longest names and keys are held, however many bytes their characters take', async (trial) => {
    // No two alike, so that no store can shorten them.
    const text = (length: number, first: number) =>
      Array.from({ length }, (_, at) => String.fromCharCode(0x4e00 + ((first + at * 7_919) % 20_000))).join(
        '',
      );
    const [task, queue] = [text(200, 0), text(200, 9)];
    for (const scope of ['task', 'queue'] as const) {
      const unique = uniqueSpec({ key: text(666, 5), scope }, { task, queue, input: null }, String);
      const first = await trial.enqueue({ task, queue, unique });
      assert.deepEqual(await trial.enqueue({ task, queue, unique }), { ...first, status: 'existing' });
    }
  });

  it('a replaced job keeps its id and its place in the line, and may change its queue', async (trial) => {
    const unique = key('replace');
    const older = await trial.add({ unique, delayMs: 60_000 });
    const younger = await trial.add();
    assert.deepEqual(await trial.enqueue({ unique }), { status: 'replaced', id: older, state: 'ready' });
    assert.deepEqual(ids(await trial.claim({ limit: 1 })), [older]);
    assert.deepEqual(ids(await trial.claim()), [younger]);
    const moving = await trial.add({ unique: key('replace', { key: 'moving' }) });
    await trial.enqueue({ unique: key('replace', { key: 'moving' }), queue: 'other' });
    assert.deepEqual(ids(await trial.claim()), []);
    assert.deepEqual(ids(await trial.claim({ queues: ['other'] })), [moving]);
  });

  it('a job added beside a running holder takes the key over', async (trial) => {
    const unique = key('replace');
    const running = await trial.start({ unique });
    const { id } = await trial.enqueue({ unique });
    assert.equal((await trial.enqueue({ unique: key('existing') })).id, id);
    await trial.settle(running, completed());
    assert.deepEqual(await trial.enqueue({ unique: key('reject') }), {
      status: 'conflict',
      id,
      state: 'ready',
    });
  });

  it('the period runs from the enqueue that was the last to replace the values', async (trial) => {
    const unique = key('replace', { periodMs: PERIOD_MS });
    const id = await trial.add({ unique });
    assert.equal((await trial.enqueue({ unique }, T0 + 9_000)).status, 'replaced');
    await trial.settle(await trial.take({ now: T0 + 9_000 }), completed(), T0 + 9_000);
    const holds = async (now: number) => (await trial.enqueue({ unique: key('reject') }, now)).status;
    assert.equal(await holds(T0 + 18_999), 'conflict');
    assert.equal(await holds(T0 + 19_000), 'created');
    assert.equal(await trial.state(id), 'completed');
  });

  it('a debounced job is due a period after the last enqueue', async (trial) => {
    const unique = key('debounce', { periodMs: PERIOD_MS });
    const id = await trial.add({ unique });
    for (const step of [4_000, 9_000]) assert.equal((await trial.enqueue({ unique }, T0 + step)).id, id);
    assert.deepEqual(await trial.claim({ now: T0 + 18_999 }), []);
    assert.equal((await trial.take({ now: T0 + 19_000 })).id, id);
  });

  it('a key whose job is not kept is held for its period all the same', async (trial) => {
    const keep = { ageMs: 0, count: null };
    await trial.store.configureQueue('q', {
      retention: { ...RETENTION_DEFAULT, completed: keep, failed: keep },
    });
    for (const [outcome, state] of [
      [completed(), 'completed'],
      [failed(), 'failed'],
    ] as const) {
      const unique = key('throttle', { key: state, periodMs: PERIOD_MS });
      const lease = await trial.start({ unique });
      await trial.settle(lease, outcome);
      assert.equal(await trial.state(lease.id), null);
      await trial.store.prune({ now: T0 + 1 });
      assert.deepEqual(await trial.enqueue({ unique }, T0 + 1), { status: 'existing', id: lease.id, state });
      assert.equal((await trial.enqueue({ unique }, T0 + PERIOD_MS)).status, 'created');
      await trial.store.clear('q', ['ready']);
    }
  });

  for (const way of ['remove', 'clear'] as const) {
    it(`${way} frees the key at once, period or not`, async (trial) => {
      const unique = key('throttle', { periodMs: PERIOD_MS });
      const id = await trial.add({ unique });
      if (way === 'remove') await trial.control({ type: 'remove', id });
      else await trial.store.clear('q', ['ready']);
      assert.equal((await trial.enqueue({ unique })).status, 'created');
    });
  }

  it('pruning leaves the keys of living jobs alone', async (trial) => {
    const unique = key('existing');
    const id = await trial.add({ unique });
    await trial.store.prune({ now: T0 + 400 * 86_400_000 });
    assert.equal((await trial.enqueue({ unique })).id, id);
  });

  it('a redriven job takes its key again if nobody has it', async (trial) => {
    const unique = key('existing');
    const lease = await trial.start({ unique });
    await trial.settle(lease, failed());
    await trial.control({ type: 'redrive', id: lease.id });
    assert.deepEqual(await trial.enqueue({ unique }), { status: 'existing', id: lease.id, state: 'ready' });
  });

  it('a debounced job is due maxWaitMs after it was added, however often it is put off', async (trial) => {
    const unique = { ...key('debounce', { periodMs: 1_000 }), maxWaitMs: 2_500 };
    const id = await trial.add({ unique });
    const dueAfter = async (ms: number): Promise<number> => {
      assert.equal((await trial.enqueue({ unique }, T0 + ms)).status, 'replaced');
      return (await trial.job(id)).dueAt - T0;
    };
    assert.equal((await trial.job(id)).dueAt, T0 + 1_000);
    assert.equal(await dueAfter(900), 1_900);
    assert.equal(await dueAfter(1_800), 2_500);
    assert.equal(await dueAfter(2_400), 2_500);
    // Past it, the job is ready, and not due in the past.
    assert.deepEqual(await trial.enqueue({ unique }, T0 + 3_000), { status: 'replaced', id, state: 'ready' });
    assert.equal((await trial.job(id)).dueAt, T0 + 3_000);
    assert.equal((await trial.take({ now: T0 + 3_000 })).id, id);
    const next = await trial.add({ unique }, T0 + 3_000);
    assert.equal((await trial.job(next)).dueAt, T0 + 4_000);
  });

  it('a redriven job leaves its key to who has it', async (trial) => {
    const unique = key('existing');
    const lease = await trial.start({ unique });
    await trial.settle(lease, failed());
    const { id } = await trial.enqueue({ unique });
    await trial.control({ type: 'redrive', id: lease.id });
    assert.equal((await trial.enqueue({ unique })).id, id);
    await trial.settle(await trial.take(), completed());
    assert.equal((await trial.enqueue({ unique })).id, id);
    assert.equal(only(await trial.claim()).id, id);
  });
}

/** Enqueues at `now`, with other values, what a holder in `state` holds the key of. */
async function meet(
  trial: Trial,
  mode: UniqueMode,
  state: BroughtState,
  { status, queue, now }: { readonly status: string; readonly queue: string; readonly now: number },
): Promise<void> {
  const unique = key(mode, { key: queue, periodMs: PERIOD_MS });
  const holder = await trial.add({ unique, queue, input: '"old"' });
  await trial.bring(holder, queue, state);
  const values = { input: '"new"', priority: 3, attemptsMax: 8, task: 'other' };
  const next = spec({ unique, queue, ...values, delayMs: 777 });
  const [isNew, isReplaced] = [status === 'created', status === 'replaced'];
  assert.deepEqual(await trial.enqueue(next, now), {
    status,
    id: isNew ? next.id : holder,
    state: isNew || isReplaced ? 'scheduled' : state,
  });
  const kept = await trial.job(holder);
  assert.deepEqual([kept.input, kept.state], isReplaced ? ['"new"', 'scheduled'] : ['"old"', state]);
  assert.equal((await trial.store.list({ queue, limit: 9 })).jobs.length, isNew ? 2 : 1);
  if (!isNew && !isReplaced) return;
  const { input, priority, attemptsMax, task, dueAt } = await trial.job(isNew ? next.id : holder);
  assert.deepEqual({ input, priority, attemptsMax, task }, values);
  assert.equal(dueAt, now + (mode === 'debounce' ? PERIOD_MS : 777));
}

/** What the table in core/unique.ts says. */
function expectedStatus(mode: UniqueMode, holder: BroughtState, withinPeriod: boolean): string {
  const ended = isTerminal(holder);
  if (ended && !withinPeriod) return 'created';
  if (mode === 'reject') return 'conflict';
  if (mode === 'existing' || mode === 'throttle') return 'existing';
  if (ended) return 'created';
  return holder === 'running' ? 'created' : 'replaced';
}

export function key(mode: UniqueMode, { key = 'k', periodMs = 0 } = {}): UniqueSpec {
  return { key: `store/${key}`, mode, periodMs };
}
