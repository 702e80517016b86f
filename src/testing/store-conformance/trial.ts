import assert from 'node:assert/strict';
import type { AttemptError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { AuditEntry, Job } from '../../core/job.ts';
import type { JobState } from '../../core/job-state.ts';
import type { Outcome } from '../../core/outcome.ts';
import type {
  ClaimRequest,
  ControlReceipt,
  EnqueueReceipt,
  JobCommand,
  JobSpec,
  Lease,
  SettleReceipt,
  Store,
  StoreOptions,
  WorkerBeat,
} from '../../store/store.ts';
import type { FixtureTransaction, OpenFixture, StoreFixture } from './fixture.ts';

/** The time tests start at. No store looks at another clock when it is given this one. */
export const T0 = Date.UTC(2026, 0, 1);

/** Long enough for no lease to end by the machine's clock, which stands far from T0. */
export const LEASE_MS = 30_000;

/**
 * One test's store and short words for what tests do with it. Jobs go to queue `q` and are claimed by worker `w1`
 * at T0 unless a test says otherwise.
 */
export class Trial {
  readonly #open: OpenFixture;
  readonly #opened: StoreFixture[] = [];
  readonly #others: Store[] = [];
  #current: StoreFixture | undefined;

  constructor(open: OpenFixture) {
    this.#open = open;
  }

  /** The store under test. */
  get store(): Store {
    assert.ok(this.#current, 'openFresh comes first');
    return this.#current.store;
  }

  /** Opens an empty store and makes it the one under test. */
  async openFresh(options: StoreOptions = {}): Promise<Store> {
    this.#current = await this.#open(options);
    this.#opened.push(this.#current);
    return this.#current.store;
  }

  /** One more connection to the data of the store under test. */
  async reopen(): Promise<Store> {
    const reopen = this.#current?.reopen;
    assert.ok(reopen, 'a durable or shared store needs `reopen` in its fixture');
    const other = await reopen();
    this.#others.push(other);
    return other;
  }

  /** A transaction of a user's. */
  begin(): Promise<FixtureTransaction> {
    assert.ok(this.#current?.begin, 'a store with transactions needs `begin` in its fixture');
    return this.#current.begin();
  }

  async close(): Promise<void> {
    for (const other of this.#others) await other.close();
    for (const fixture of this.#opened) await fixture.close();
  }

  async enqueue(changes: Partial<JobSpec> = {}, now = T0): Promise<EnqueueReceipt> {
    return only(await this.store.enqueue([spec(changes)], { now }));
  }

  /** Enqueues a new job; its id. */
  async add(changes: Partial<JobSpec> = {}, now = T0): Promise<string> {
    const receipt = await this.enqueue(changes, now);
    assert.equal(receipt.status, 'created');
    return receipt.id;
  }

  async claim(changes: Partial<ClaimRequest> = {}): Promise<readonly Lease[]> {
    const { leases } = await this.store.claim(claimRequest(changes));
    return leases;
  }

  /** Claims exactly one job. */
  async take(changes: Partial<ClaimRequest> = {}): Promise<Lease> {
    return only(await this.claim({ ...changes, limit: 1 }));
  }

  /** Enqueues a job and claims it; nothing else may wait. */
  async start(changes: Partial<JobSpec> = {}, claim: Partial<ClaimRequest> = {}): Promise<Lease> {
    const id = await this.add(changes, claim.now ?? T0);
    const lease = await this.take({ queues: [changes.queue ?? 'q'], ...claim });
    assert.equal(lease.id, id);
    return lease;
  }

  async settle(lease: Pick<Lease, 'id' | 'token'>, outcome: Outcome, now = T0): Promise<SettleReceipt> {
    return only(await this.store.settle([{ id: lease.id, token: lease.token, outcome }], { now }));
  }

  async control(command: Ordered, now = T0): Promise<ControlReceipt> {
    return only(await this.store.control([ordered(command)], { now }));
  }

  async job(id: string): Promise<Job> {
    const job = only(await this.store.get([id]));
    assert.ok(job, `job ${id} is there`);
    return job;
  }

  async state(id: string): Promise<JobState | null> {
    return only(await this.store.get([id]))?.state ?? null;
  }

  async errors(id: string): Promise<readonly AttemptError[]> {
    return (await this.store.trail(id))?.errors ?? [];
  }

  async audit(id: string): Promise<readonly AuditEntry[]> {
    return (await this.store.trail(id))?.audit ?? [];
  }

  /** Takes a waiting job, in a queue of its own, to `state`; what happens, happens at T0. */
  async bring(id: string, queue: string, state: BroughtState): Promise<void> {
    if (state === 'scheduled') return this.#done({ type: 'reschedule', id, dueAt: T0 + 3_600_000 });
    await this.#done({ type: 'reschedule', id, dueAt: T0 });
    if (state === 'ready') return;
    if (state === 'cancelled') return this.#done({ type: 'cancel', id });
    const lease = await this.take({ queues: [queue] });
    assert.equal(lease.id, id);
    if (state === 'running') return;
    await this.settle(lease, state === 'completed' ? completed() : failed());
  }

  async #done(command: Ordered): Promise<void> {
    assert.equal((await this.control(command)).status, 'done');
  }
}

/** The states a job can be brought to by the contract's verbs. */
export const BROUGHT_STATES = ['scheduled', 'ready', 'running', 'completed', 'failed', 'cancelled'] as const;

export type BroughtState = (typeof BROUGHT_STATES)[number];

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** A command whose author and reason do not matter to the test. */
export type Ordered = DistributiveOmit<JobCommand, 'by' | 'why'> & {
  readonly by?: string;
  readonly why?: string | null;
};

export function ordered(command: Ordered): JobCommand {
  return { by: 'ada', why: null, ...command } as JobCommand;
}

export function spec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    id: newId(),
    queue: 'q',
    task: 'task',
    priority: 0,
    input: '{"n":1}',
    attemptsMax: 3,
    delayMs: 0,
    dueAt: null,
    unique: null,
    key: null,
    ...changes,
  };
}

export function claimRequest(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  return { workerId: 'w1', queues: ['q'], limit: 1_000, leaseMs: LEASE_MS, now: T0, ...changes };
}

export function beatOf(id: string, now: number, changes: Partial<WorkerBeat> = {}): WorkerBeat {
  const worker = {
    id,
    host: 'host',
    pid: 7,
    version: '1.0.0',
    tasks: ['task'],
    queues: ['q'],
    startedAt: T0,
  };
  return { worker, load: { slots: 4, slotsUsed: 1, profiles: [] }, leaseMs: LEASE_MS, now, ...changes };
}

export function attemptError(message = 'it broke', attempt = 1, at = T0): AttemptError {
  return { attempt, at, name: 'Error', message, stack: `Error: ${message}\n    at work`, code: null };
}

export function completed(result: string | null = null): Outcome {
  return { type: 'completed', result };
}

export function failed(message?: string): Outcome {
  return { type: 'failed', error: attemptError(message) };
}

export function retried(delayMs = 0, message?: string): Outcome {
  return { type: 'retried', delayMs, error: attemptError(message) };
}

/** The only element; fails when there are more or fewer. */
export function only<T>(list: readonly T[]): T {
  assert.equal(list.length, 1);
  return list[0] as T;
}

export function ids(jobs: readonly { readonly id: string }[]): string[] {
  return jobs.map(({ id }) => id);
}
