import assert from 'node:assert/strict';
import { isTerminal, JOB_STATES, type JobState } from '../../core/job-state.ts';
import { LIMITS_NONE, type LimitsChange } from '../../core/limits.ts';
import type { It } from './area.ts';
import { Model } from './model-store.ts';
import type { ModelJob } from './model-turns.ts';
import { attemptError, beatOf, claimRequest, ordered, spec, T0, type Trial } from './trial.ts';

/** The part of fast-check the suite uses. The published package does not depend on it; its user's copy fits. */
export interface FastCheck {
  nat(max: number): unknown;
  tuple(...arbitraries: unknown[]): unknown;
  array(arbitrary: unknown, constraints: { minLength: number; maxLength: number; size: 'max' }): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: fast-check infers the value from its arbitrary, which is opaque here.
  asyncProperty(arbitrary: unknown, predicate: (value: any) => Promise<void>): unknown;
  assert(
    property: unknown,
    parameters: { seed: number; numRuns: number; endOnFailure: boolean },
  ): Promise<void> | void;
}

const RUNS = 40;

/**
 * Random command sequences against the store and against a model that is built on the settle rule and nothing else.
 * Each step is four small numbers, so a failing sequence shrinks well; the error shows it in words.
 */
export function modelArea(it: It, fastCheck: FastCheck): void {
  for (const seed of [1, 2]) {
    it(`any sequence of commands has the effects the settle rule says (seed ${seed})`, async (trial) => {
      const step = fastCheck.tuple(...[99, 99, 99, 99].map((max) => fastCheck.nat(max)));
      const steps = fastCheck.array(step, { minLength: 1, maxLength: 80, size: 'max' });
      const property = fastCheck.asyncProperty(steps, async (sequence: readonly Step[]) => {
        const session = new Session(trial);
        try {
          await session.empty();
          for (const one of sequence) await session.take(one);
          await session.compare();
        } catch (cause) {
          const message = `after:\n  ${session.told.join('\n  ')}\n${(cause as Error).message}`;
          throw new Error(message, { cause });
        }
      });
      await fastCheck.assert(property, { seed, numRuns: RUNS, endOnFailure: false });
    });
  }
}

type Step = readonly [kind: number, a: number, b: number, c: number];

const QUEUES = ['a', 'b'];
const KEYS = [null, 'k', 'k', 'l'];
const METAS = [null, null, null, '{"tags":["a;b"]}'];
const LIMITS: readonly LimitsChange[] = [
  { concurrency: 2 },
  { concurrency: null, rate: null },
  { rate: { count: 2, perMs: 30_000 } },
  { perKey: { ordered: true, concurrency: null } },
  { perKey: { ordered: true, concurrency: null } },
  { perKey: { ordered: false, concurrency: 1 } },
  { perKey: { ordered: false, concurrency: 2 } },
  { perKey: { ordered: false, concurrency: null } },
  { perKey: { rate: { count: 1, perMs: 15_000 } } },
  { perKey: { rate: null } },
];
const WORKERS = ['w1', 'w2', 'w3'];
const DELAYS = [0, 0, 0, 10, 40_000];
const COMMANDS = [
  'cancel',
  'cancel',
  'redrive',
  'resolve',
  'reschedule',
  'reprioritize',
  'edit',
  'remove',
] as const;

/** One sequence: the store, the model and the time. */
class Session {
  readonly told: string[] = [];
  readonly #trial: Trial;
  readonly #model = new Model();
  #now = T0;
  #seen = new Map<string, JobState>();

  constructor(trial: Trial) {
    this.#trial = trial;
  }

  /** Undoes what the sequence before left: a store is slow to open and quick to empty. */
  async empty(): Promise<void> {
    const { store } = this.#trial;
    for (const workerId of WORKERS) await store.retire(workerId);
    for (const queue of QUEUES) {
      await store.clear(queue, JOB_STATES);
      await store.configureQueue(queue, { paused: false, limits: LIMITS_NONE });
    }
  }

  async take([kind, a, b, c]: Step): Promise<void> {
    if (kind < 25) await this.#enqueue(a, b, c);
    else if (kind < 45) await this.#claim(a, b, c);
    else if (kind < 66) await this.#settle(a, b, c);
    else if (kind < 70) await this.#limit(a, b);
    else if (kind < 84) await this.#control(a, b, c);
    else if (kind < 88) await this.#pass(a, b);
    else if (kind < 92) await this.#reap();
    else if (kind < 94) await this.#beat(a);
    else if (kind < 96) await this.#retire(a);
    else if (kind < 99) await this.#pause(a, b);
    else await this.#clear(a, b);
    if (this.told.length % 8 === 0) await this.compare();
  }

  async #enqueue(a: number, b: number, c: number): Promise<void> {
    const specs = Array.from({ length: 1 + (a % 3) }, (_, index) =>
      spec({
        queue: pick(QUEUES, a + index),
        priority: (b % 3) - 1,
        delayMs: pick(DELAYS, c + index),
        attemptsMax: 1 + (c % 3),
        key: pick(KEYS, b + index),
        meta: pick(METAS, a + c + index),
      }),
    );
    this.#tell(
      'enqueue',
      specs.map(({ queue, key, priority, delayMs }) => `${queue} ${key} p${priority} +${delayMs}`),
    );
    const receipts = await this.#trial.store.enqueue(specs, { now: this.#now });
    assert.deepEqual(receipts, this.#model.enqueue(specs, this.#now));
  }

  async #claim(a: number, b: number, c: number): Promise<void> {
    const queues = a % 3 === 0 ? QUEUES : a % 3 === 1 ? [...QUEUES].reverse() : [pick(QUEUES, a)];
    const request = claimRequest({ queues, workerId: pick(WORKERS, b), limit: c % 5, now: this.#now });
    this.#tell('claim', `${request.workerId} ${queues} limit ${request.limit}`);
    const { leases, nextDueAt } = await this.#trial.store.claim(request);
    const expected = this.#model.claim(
      request,
      this.#now,
      leases.map(({ token }) => token),
    );
    assert.deepEqual(
      leases.map(({ id, attempt, crashes, meta }) => ({ id, attempt, crashes, meta })),
      expected.leases,
    );
    assert.equal(nextDueAt, expected.nextDueAt);
  }

  async #settle(a: number, b: number, c: number): Promise<void> {
    const lease = this.#model.leases.at(-1 - (a % Math.max(1, this.#model.leases.length)));
    if (lease === undefined) return;
    const error = attemptError(`error ${b}`, 1, this.#now);
    const outcome = pick(
      [
        { type: 'completed', result: String(b) },
        { type: 'completed', result: String(b) },
        { type: 'retried', delayMs: pick(DELAYS, c), error },
        { type: 'retried', delayMs: pick(DELAYS, c), error },
        { type: 'failed', error },
        { type: 'cancelled', error: null },
        { type: 'snoozed', delayMs: pick(DELAYS, c) },
        { type: 'released' },
      ] as const,
      b,
    );
    this.#tell('settle', `${this.#model.nameOf(lease.id)} ${outcome.type}`);
    const receipts = await this.#trial.store.settle([{ ...lease, outcome }], { now: this.#now });
    assert.deepEqual(receipts, [this.#model.settle(lease, outcome, this.#now)]);
  }

  async #control(a: number, b: number, c: number): Promise<void> {
    const job = this.#model.anyJob(a);
    if (job === undefined) return;
    const { id } = job;
    const dueAt = this.#now + pick(DELAYS, c);
    const commands = { input: null, result: '"r"', dueAt, priority: (c % 3) - 1 };
    const command = ordered({ type: pick(COMMANDS, b), id, ...commands } as never);
    this.#tell(command.type, `${this.#model.nameOf(id)} (${job.state})`);
    const receipts = await this.#trial.store.control([command], { now: this.#now });
    assert.deepEqual(receipts, [this.#model.control(command, this.#now)]);
  }

  async #pass(a: number, b: number): Promise<void> {
    // Clocks step back as well; a store must not care.
    this.#now += b % 4 === 0 ? -a * 100 : a * 1_000;
    this.#tell('now', `T0 + ${this.#now - T0}`);
  }

  async #reap(): Promise<void> {
    this.#tell('reap', '');
    const { reaped } = await this.#trial.store.reap({ now: this.#now, crashesMax: 2 });
    const found = reaped.map(({ id, state, crashes }) => ({ id, state, crashes }));
    assert.deepEqual(byId(found), byId(this.#model.reap(this.#now, 2)));
  }

  async #beat(a: number): Promise<void> {
    const id = pick(WORKERS, a);
    this.#tell('beat', id);
    const { held, cancelled } = await this.#trial.store.beat(beatOf(id, this.#now));
    const expected = this.#model.beat(id, this.#now, beatOf(id, 0).leaseMs);
    assert.deepEqual([[...held].sort(), [...cancelled].sort()], [expected.held, expected.cancelled]);
  }

  async #retire(a: number): Promise<void> {
    this.#tell('retire', pick(WORKERS, a));
    await this.#trial.store.retire(pick(WORKERS, a), { now: this.#now });
    this.#model.retire(pick(WORKERS, a), this.#now);
  }

  async #pause(a: number, b: number): Promise<void> {
    const [queue, paused] = [pick(QUEUES, a), b % 2 === 0];
    this.#tell(paused ? 'pause' : 'resume', queue);
    await this.#trial.store.configureQueue(queue, { paused }, { now: this.#now });
    this.#model.pause(queue, paused);
  }

  async #limit(a: number, b: number): Promise<void> {
    const [queue, limits] = [pick(QUEUES, a), pick(LIMITS, b)];
    this.#tell('limit', `${queue} ${JSON.stringify(limits)}`);
    const settings = await this.#trial.store.configureQueue(queue, { limits }, { now: this.#now });
    assert.deepEqual(settings.limits, this.#model.limit(queue, limits, this.#now));
  }

  async #clear(a: number, b: number): Promise<void> {
    const states = pick(
      [['ready', 'scheduled'], ['running'], ['completed', 'failed', 'cancelled']] as const,
      b,
    );
    this.#tell('clear', `${pick(QUEUES, a)} ${states}`);
    const count = await this.#trial.store.clear(pick(QUEUES, a), states);
    assert.equal(count, this.#model.clear(pick(QUEUES, a), states));
    this.#seen.clear();
  }

  /** Every job in the store is the model's, and none is missing: nothing lost, nothing doubled, in the right order. */
  async compare(): Promise<void> {
    const { jobs } = await this.#trial.store.list({ limit: 10_000 });
    const found = jobs.map((job) => pickFields(job)).reverse();
    assert.deepEqual(found, this.#model.jobs.map(pickFields));
    for (const { id, state } of found) {
      const before = this.#seen.get(id);
      if (before !== undefined && isTerminal(before) && before !== state)
        assert.ok(this.#model.reopened.has(id), `${before} became ${state} without redrive or resolve`);
      this.#seen.set(id, state);
    }
    this.#model.reopened.clear();
    const trails = await Promise.all(
      jobs.map(async ({ id }) => (await this.#trial.store.trail(id))?.errors.length),
    );
    assert.deepEqual(
      trails.reverse(),
      this.#model.jobs.map(({ errors }) => errors),
    );
  }

  #tell(what: string, detail: string | string[]): void {
    this.told.push(`${what} ${detail}`);
  }
}

type Compared = Omit<ModelJob, 'token' | 'errors' | 'turn' | 'ticket'>;

function pickFields(job: Compared): Compared {
  const { id, queue, state, priority, attempt, attemptsMax, crashes, dueAt, finishedAt, result } = job;
  const { cancelRequested, workerId, leaseExpiresAt, key, meta, held } = job;
  const lease = { workerId, leaseExpiresAt, cancelRequested: state === 'running' && cancelRequested };
  // What a job was due at does not matter once it ended.
  const due = isTerminal(state) ? 0 : dueAt;
  return {
    id,
    queue,
    state,
    priority,
    attempt,
    attemptsMax,
    crashes,
    dueAt: due,
    finishedAt,
    result,
    key,
    meta,
    held,
    ...lease,
  };
}

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

function byId<T extends { readonly id: string }>(list: readonly T[]): T[] {
  return [...list].sort((one, other) => (one.id < other.id ? -1 : 1));
}
