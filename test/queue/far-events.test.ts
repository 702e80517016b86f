import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defineTask, type EventName, type Events, type Longshore } from '../../src/index.ts';
import { eventually, onEachStore, SHARED_KINDS } from '../stage.ts';

const task = defineTask({
  name: 'task',
  attempts: 1,
  run: ({ input, progress, log }) => {
    if (input === 'fail') throw new Error('out of ink');
    if (input === 'many') for (let line = 0; line < 2_000; line += 1) log(`line ${line}`);
    if (input !== 'tell') return;
    progress({ done: 'half of ✓' });
    log('a secret line', { of: 'mine' });
  },
});

type Heard = { readonly name: EventName; readonly event: Events[EventName] };

/** Hears of all connections, and returns once it does: another one that has a worker sends what happens. */
async function listening(here: Longshore, ...names: EventName[]): Promise<Heard[]> {
  const heard: Heard[] = [];
  for (const name of names) here.on(name, (event) => heard.push({ name, event }), { all: true });
  const probes: string[] = [];
  const off = here.on('job.completed', ({ id }) => probes.push(id), { all: true });
  while (probes.length === 0) await (await here.enqueue(task, 'probe')).ended();
  off();
  await eventually(() => heard.length > 0 || !names.includes('job.completed'));
  heard.length = 0;
  return heard;
}

const of = (heard: readonly Heard[], id: string): Heard[] =>
  heard.filter(({ event }) => 'id' in event && event.id === id);

onEachStore(
  'ends and progress of jobs that another connection runs are heard by those who listen to all',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await there.worker({ tasks: [task] }).start();
    const own: unknown[] = [];
    here.on('job.completed', (event) => own.push(event));
    const heard = await listening(here, 'job.completed', 'job.failed', 'job.progressed', 'job.logged');
    const told = await here.enqueue(task, 'tell');
    const failing = await here.enqueue(task, 'fail');
    await eventually(() => of(heard, told.id).length === 3 && of(heard, failing.id).length === 1);
    const [progressed, logged, completed] = of(heard, told.id);
    const facts = { id: told.id, queue: 'default', task: 'task', attempt: 1, correlationId: told.id };
    assert.deepEqual(progressed, {
      name: 'job.progressed',
      event: { ...facts, progress: { done: 'half of ✓' } },
    });
    assert.deepEqual(logged, {
      name: 'job.logged',
      event: { ...facts, message: 'a secret line', data: { of: 'mine' } },
    });
    assert.equal(completed?.name, 'job.completed');
    const [failed] = of(heard, failing.id);
    assert.equal(
      failed?.name === 'job.failed' && (failed.event as Events['job.failed']).error.message,
      'out of ink',
    );
    assert.deepEqual(own, [], 'a listener that does not ask for all hears its own connection');
  },
  SHARED_KINDS,
);

onEachStore('a connection that listens to all hears its own workers once', async ({ connect }) => {
  const here = await connect();
  await here.worker({ tasks: [task] }).start();
  const heard: string[] = [];
  const off = here.on('job.completed', ({ id }) => heard.push(id), { all: true });
  const { id } = await here.enqueue(task, null);
  await eventually(() => heard.length > 0);
  off();
  await (await here.enqueue(task, null)).result();
  assert.deepEqual(heard, [id]);
});

onEachStore(
  'of more events than may be sent the others are counted',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await there.worker({ tasks: [task] }).start();
    const heard = await listening(here, 'job.logged');
    let missed = 0;
    here.on('events.missed', ({ count }) => {
      missed += count;
    });
    await here.enqueue(task, 'many');
    // And the end of the job, which was listened to before.
    await eventually(() => heard.length + missed >= 2_000);
    assert.ok(heard.length > 0 && heard.length <= 500, `${heard.length} heard`);
  },
  SHARED_KINDS,
);

onEachStore(
  'what handlers tell is sealed on its way, and is missed where the key is not known',
  async (stage) => {
    const texts: string[] = [];
    await stage.connectThrough((store) => {
      store.notifier.talk?.listen('tell', { heard: (text) => texts.push(text) });
      return {};
    });
    const encryption = { keys: [{ id: 'a', key: randomBytes(32) }] };
    const there = await stage.connect({ encryption });
    const here = await stage.connect({ encryption });
    const keyless = await stage.connect();
    await there.worker({ tasks: [task] }).start();
    const heard = await listening(here, 'job.progressed');
    let missed = 0;
    keyless.on('events.missed', ({ count }) => {
      missed += count;
    });
    const unread: unknown[] = [];
    keyless.on('job.progressed', (event) => unread.push(event), { all: true });
    while (missed === 0) await (await here.enqueue(task, 'tell')).ended();
    await eventually(() => heard.length > 0);
    assert.deepEqual((heard[0] as { event: Events['job.progressed'] }).event.progress, { done: 'half of ✓' });
    assert.deepEqual(unread, []);
    assert.ok(texts.length > 0 && !texts.some((text) => text.includes('half of')));
  },
  SHARED_KINDS,
);

onEachStore('only events about the work itself are heard of other connections', async ({ connect, kind }) => {
  const here = await connect();
  if (kind !== 'memory')
    assert.throws(() => here.on('store.called', () => undefined, { all: true }), {
      code: 'OPTION_INVALID',
      message: /only events of jobs/,
    });
  assert.throws(() => here.on('job.completed', () => undefined, { all: 1 as never }), {
    code: 'OPTION_INVALID',
  });
  assert.throws(() => here.on('job.completed', () => undefined, { every: true } as never), {
    code: 'OPTION_INVALID',
  });
});
