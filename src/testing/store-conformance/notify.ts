import assert from 'node:assert/strict';
import type { Topic } from '../../store/notifier.ts';
import type { Store } from '../../store/store.ts';
import { TALK_CHARS_MAX } from '../../store/talk.ts';
import type { It } from './area.ts';
import { completed, failed, LEASE_MS, retried, T0, type Trial } from './trial.ts';

/** What happens, what must be in the store before it, and the hint that follows. */
const HINTS: readonly [
  what: string,
  topic: Topic,
  prepare: (trial: Trial) => Promise<() => Promise<unknown>>,
][] = [
  ['an enqueue', 'ready', async (trial) => () => trial.add()],
  ['an enqueue for later', 'ready', async (trial) => () => trial.add({ delayMs: 50_000 })],
  [
    'a retry',
    'ready',
    async (trial) => {
      const lease = await trial.start();
      return () => trial.settle(lease, retried());
    },
  ],
  [
    'a job given back',
    'ready',
    async (trial) => {
      const lease = await trial.start();
      return () => trial.settle(lease, { type: 'released' });
    },
  ],
  [
    'a redrive',
    'ready',
    async (trial) => {
      const lease = await trial.start();
      await trial.settle(lease, failed());
      return () => trial.control({ type: 'redrive', id: lease.id });
    },
  ],
  [
    'another time for a job',
    'ready',
    async (trial) => {
      const id = await trial.add({ delayMs: 50_000 });
      return () => trial.control({ type: 'reschedule', id, dueAt: T0 + 1 });
    },
  ],
  [
    'a lease taken back',
    'ready',
    async (trial) => {
      await trial.start();
      return () => trial.store.reap({ now: T0 + LEASE_MS });
    },
  ],
  [
    'a resumed queue',
    'ready',
    async ({ store }) =>
      () =>
        store.configureQueue('q', { paused: false }),
  ],
  [
    'a resumed queue',
    'control',
    async ({ store }) =>
      () =>
        store.configureQueue('q', { paused: false }),
  ],
  [
    'a paused queue',
    'control',
    async ({ store }) =>
      () =>
        store.configureQueue('q', { paused: true }),
  ],
  [
    'a cancel of a running job',
    'control',
    async (trial) => {
      const { id } = await trial.start();
      return () => trial.control({ type: 'cancel', id });
    },
  ],
  [
    'a job that completed',
    'settled',
    async (trial) => {
      const lease = await trial.start();
      return () => trial.settle(lease, completed());
    },
  ],
  [
    'a waiting job that was cancelled',
    'settled',
    async (trial) => {
      const id = await trial.add();
      return () => trial.control({ type: 'cancel', id });
    },
  ],
];

export function notifyArea(it: It): void {
  for (const [what, topic, prepare] of HINTS) {
    it(`${what} hints '${topic}' on the same connection`, async (trial) => {
      const act = await prepare(trial);
      await hintAfter(trial.store, topic, act);
    });

    it(
      `${what} hints '${topic}' on another connection`,
      async (trial) => {
        const other = await trial.reopen();
        const act = await prepare(trial);
        await hintAfter(other, topic, act);
      },
      'notify',
    );
  }

  it('a hint comes after the call that caused it has returned its promise', async (trial) => {
    let returned = false;
    const hinted = new Promise<boolean>((resolve) => {
      trial.store.notifier.subscribe('ready', () => resolve(returned));
    });
    const adding = trial.add();
    returned = true;
    await adding;
    assert.equal(await hinted, true);
  });

  it('who hears a hint finds what it hints at', async (trial) => {
    const id = await trial.add({ delayMs: 10 });
    const claimed = new Promise<readonly { readonly id: string }[]>((resolve, reject) => {
      const stop = trial.store.notifier.subscribe('ready', () => {
        trial.claim().then((leases) => {
          if (leases.length === 0) return;
          stop();
          resolve(leases);
        }, reject);
      });
    });
    await trial.control({ type: 'reschedule', id, dueAt: T0 });
    assert.equal((await withDeadline(claimed, 'the job was not found'))[0]?.id, id);
  });

  it('a listener that left hears nothing, and the others still do', async (trial) => {
    const stop = trial.store.notifier.subscribe('ready', () => assert.fail('heard a hint after it left'));
    stop();
    stop();
    await hintAfter(trial.store, 'ready', () => trial.add());
  });

  it(
    'what is said is heard on other connections that listen, whole and in order, and on no other line',
    async (trial) => {
      const { talk } = trial.store.notifier;
      const other = (await trial.reopen()).notifier.talk;
      if (talk === undefined || other === undefined) return;
      const heard: string[] = [];
      const opened = Promise.withResolvers<void>();
      const done = Promise.withResolvers<void>();
      talk.listen('tell', { heard: () => assert.fail('heard itself') });
      other.listen('ask', { heard: () => assert.fail('heard the other line') });
      const stop = other.listen('tell', {
        opened: () => opened.resolve(),
        heard: (text) => {
          heard.push(text);
          if (text === 'last') done.resolve();
        },
      });
      await withDeadline(opened.promise, 'the line was not opened');
      const texts = ['first', '', `${'a✓😀'.repeat(60_000)}`, '"quoted" \\ and \u2028', 'last'];
      for (const text of ['x'.repeat(TALK_CHARS_MAX + 1), ...texts]) talk.say('tell', text);
      await withDeadline(done.promise, 'nothing was heard');
      assert.deepEqual(heard, texts);
      stop();
      stop();
    },
    'notify',
  );

  it('the notifier says that hints cross processes where the capability does', async ({ store }) => {
    assert.equal(store.notifier.crossProcess, store.capabilities.notify);
  });
}

/** Subscribes on `store`, acts, and waits for the hint. Hints of what came before `act` do not count. */
async function hintAfter(store: Store, topic: Topic, act: () => Promise<unknown>): Promise<void> {
  let acting = false;
  const hinted = new Promise<void>((resolve) => {
    store.notifier.subscribe(topic, () => {
      if (acting) resolve();
    });
  });
  await listening(store);
  acting = true;
  await act();
  await withDeadline(hinted, `no hint '${topic}'`);
}

/**
 * Until the notifier says that it hears the other connections, which may take it a connection of its own; then some
 * turns of the loop, for hints that are on their way.
 */
async function listening({ capabilities, notifier }: Store): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (let turns = 0; turns < 10; ) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (notifier.crossProcess === capabilities.notify) turns += 1;
    assert.ok(performance.now() < deadline, `the notifier did not listen in ${DEADLINE_MS} ms`);
  }
}

const DEADLINE_MS = 5_000;

/** A hint may come late; a test that waits for ever tells nobody why. */
async function withDeadline<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${otherwise} in ${DEADLINE_MS} ms` })),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
