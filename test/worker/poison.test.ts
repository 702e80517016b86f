import assert from 'node:assert/strict';
import { defineTask, type Longshore, LongshoreError } from '../../src/index.ts';
import type { KeepAlive, Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, eventually, onEachStore, record, type Stage } from '../stage.ts';

const LEASE_MS = 1_000;

/**
 * Workers that die: from the moment of death no verb of theirs does anything any more, as if the process was gone.
 * What they hold expires when the clock moves past the lease. Real deaths are in test/crash.
 */
class Morgue {
  dead = false;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #keepAlives: KeepAlive[] = [];

  wrap(store: Store): Partial<Store> {
    const alive = <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) => {
      return (...args: Args): Promise<Result> => {
        if (this.dead) return Promise.reject(new LongshoreError('STORE_CLOSED', 'The worker is dead.'));
        const call = verb(...args);
        this.#underWay.add(call);
        return call.finally(() => this.#underWay.delete(call));
      };
    };
    return {
      claim: alive(store.claim.bind(store)),
      settle: alive(store.settle.bind(store)),
      annotate: alive(store.annotate.bind(store)),
      beat: alive(store.beat.bind(store)),
      reap: alive(store.reap.bind(store)),
      retire: alive(store.retire.bind(store)),
      keepAlive: (options) => {
        const keepAlive = store.keepAlive(options);
        this.#keepAlives.push(keepAlive);
        // One that a hint asks for would renew the leases of the dead.
        const beat = alive(() => keepAlive.beat());
        return { update: (load) => keepAlive.update(load), beat, close: () => keepAlive.close() };
      },
    };
  }

  /** Resolves when what was under way has reached the store: a claim that came after the reaper would wait for the next. */
  async die(): Promise<void> {
    this.dead = true;
    await Promise.all(this.#keepAlives.map((keepAlive) => keepAlive.close()));
    await Promise.allSettled(this.#underWay);
  }
}

/** Starts a worker that dies as soon as it runs `killer`, lets its leases expire, and starts the next, until none dies. */
async function workUntilNobodyDies(stage: Stage, options: { crashesMax: number; concurrency: number }) {
  const clock = new FakeClock();
  const store = await sharedStore(stage, clock);
  const alongsideSuspect: string[] = [];
  const client = store.client;
  const names = ['a', 'b', 'killer', 'c', 'd', 'e', 'f', 'g'];
  const jobs = new Map<string, string>();
  for (const name of names) jobs.set(name, (await client.enqueue('task', name)).id);
  let deaths = 0;
  for (let died = true; died; ) {
    died = false;
    const morgue = new Morgue();
    const death = Promise.withResolvers<void>();
    let running = 0;
    const task = defineTask({
      name: 'task',
      attempts: 1,
      run: async ({ input, id }) => {
        if (morgue.dead) return new Promise(() => undefined);
        running += 1;
        if (input === 'killer') {
          const crashes = (await client.jobs.get(id))?.crashes ?? 0;
          if (crashes === options.crashesMax - 1 && running > 1) alongsideSuspect.push('killer');
          void morgue.die().then(death.resolve);
          return new Promise(() => undefined);
        }
        // The others go on for as long as the killer may be about to strike.
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return undefined;
      },
    });
    const connection = await store.connect(morgue);
    const worker = connection.worker({
      tasks: [task],
      ...options,
      leaseMs: LEASE_MS,
      roles: ['processing'],
    });
    await worker.start();
    const idle = eventually(async () => (await client.queues.list()).every(allEnded)).then(() => 'idle');
    if ((await Promise.race([death.promise.then(() => 'death'), idle])) === 'idle') {
      await worker.stop();
      break;
    }
    died = true;
    deaths += 1;
    await clock.advance(LEASE_MS + 1);
    await store.reap(options.crashesMax);
    await advanceUntil(clock, worker.stop({ graceMs: 0 }));
  }
  return { client, jobs, deaths, alongsideSuspect };
}

function allEnded({ counts }: { counts: Record<string, number> }): boolean {
  return counts.ready === 0 && counts.scheduled === 0 && counts.running === 0;
}

/** Several connections to one store, of which any may die; memory stores are private, so they share one object. */
async function sharedStore(stage: Stage, clock: FakeClock) {
  let shared: Store | null = null;
  const client: Longshore = await stage.connectThrough(
    (store) => {
      shared = store;
      return {};
    },
    { clock },
  );
  const store = shared as unknown as Store;
  return {
    client,
    reap: (crashesMax: number) => store.reap({ crashesMax }),
    connect: (morgue: Morgue) =>
      stage.connectThrough(
        (own) => {
          const base = stage.kind === 'memory' ? store : own;
          return { ...redirect(base), ...morgue.wrap(base) };
        },
        { clock },
      ),
  };
}

function redirect(store: Store): Partial<Store> {
  const verbs = ['enqueue', 'workers', 'queues', 'get', 'list', 'trail', 'control'] as const;
  const bound = Object.fromEntries(verbs.map((verb) => [verb, (store[verb] as () => unknown).bind(store)]));
  return { ...bound, notifier: store.notifier, lock: store.lock };
}

for (const concurrency of [1, 4]) {
  onEachStore(
    `a job that kills its worker becomes a dead letter, and the ${concurrency} at a time beside it complete`,
    async (stage) => {
      const { client, jobs, deaths, alongsideSuspect } = await workUntilNobodyDies(stage, {
        crashesMax: 3,
        concurrency,
      });
      assert.equal(deaths, 3);
      for (const [name, id] of jobs) {
        const job = await client.jobs.get(id);
        assert.equal(job?.state, name === 'killer' ? 'failed' : 'completed', `job ${name} is ${job?.state}`);
      }
      const killer = await client.jobs.get(jobs.get('killer') ?? '');
      assert.equal(killer?.crashes, 3);
      assert.deepEqual(
        killer?.errors.map(({ code }) => code),
        ['LEASE_EXPIRED', 'LEASE_EXPIRED', 'JOB_POISONED'],
      );
      assert.deepEqual(alongsideSuspect, [], 'a suspect did not run alone');
    },
  );
}

onEachStore('a redriven poison job gets its crashes back', async (stage) => {
  const { client, jobs } = await workUntilNobodyDies(stage, { crashesMax: 2, concurrency: 2 });
  const id = jobs.get('killer') ?? '';
  await client.jobs.redrive(id);
  const job = await client.jobs.get(id);
  assert.deepEqual(
    { state: job?.state, crashes: job?.crashes, attempt: job?.attempt, errors: job?.errors.length },
    { state: 'ready', crashes: 0, attempt: 0, errors: 2 },
  );
});

onEachStore('the reaper of a living worker takes a dead one’s jobs and says so', async (stage) => {
  const clock = new FakeClock();
  const store = await sharedStore(stage, clock);
  const morgue = new Morgue();
  const doomed = await store.connect(morgue);
  const started = Promise.withResolvers<void>();
  let heir = false;
  const task = defineTask({
    name: 'task',
    run: () => {
      if (heir) return 'done by another';
      started.resolve();
      return new Promise(() => undefined);
    },
  });
  const job = await store.client.enqueue(task, null);
  const worker = doomed.worker({ tasks: [task], leaseMs: LEASE_MS, roles: ['processing'] });
  await worker.start();
  await started.promise;
  await morgue.die();
  heir = true;
  const expired = record(store.client, 'job.expired');
  await store.client.worker({ tasks: [task], leaseMs: LEASE_MS }).start();
  assert.equal(await advanceUntil(clock, job.result(), 100), 'done by another');
  assert.deepEqual(
    expired.map(({ event }) => event),
    [{ id: job.id, queue: 'default', task: 'task', correlationId: job.id, state: 'ready', crashes: 1 }],
  );
  await advanceUntil(clock, worker.stop({ graceMs: 0 }));
});
