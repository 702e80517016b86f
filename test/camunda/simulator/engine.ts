import type { Clock } from '../../../src/core/clock.ts';
import { type Element, type Process, readProcess } from './bpmn.ts';
import { Lines } from './lines.ts';
import { invalid, notFound, type Problem, wrongState } from './problem.ts';
import { type Counts, type Deployed, type Incident, type Instance, type Job, Journal } from './records.ts';

/**
 * The state of the simulator: processes, instances, jobs with their locks, incidents. It knows no HTTP. Semantics of jobs: given
 * out at least once; a lock that ends gives the job out again and uses no retry; whoever lost the lock is answered 404 once the
 * job has ended, and 409 while it backs off or has an incident. Before that its command is taken, as keys do not fence; with a lease
 * it is refused once another worker has the job.
 */
export class Engine {
  readonly clock: Clock;
  readonly counts: Counts = {
    activations: 0,
    redeliveries: 0,
    expiries: 0,
    completions: 0,
    stale: 0,
    abandoned: 0,
  };
  readonly jobs = new Map<string, Job>();
  readonly instances = new Map<string, Instance>();
  readonly incidents = new Map<string, Incident>();
  readonly #journal: Journal;
  readonly #processes = new Map<string, { readonly process: Process; readonly deployed: Deployed }>();
  readonly #latest = new Map<string, string>();
  readonly #lines: Lines;
  #lastKey = FIRST_KEY;
  whenCompleted: (job: Job) => void = () => undefined;
  readonly #ends = new Map<Instance, () => void>();

  /** `onReady`: a job of this type may be given out. */
  constructor(clock: Clock, file: string | null, onReady: (type: string) => void) {
    this.clock = clock;
    this.#lines = new Lines(clock, onReady, (job) => this.#timeUp(job));
    this.#journal = new Journal(file);
    for (const { kind, record } of this.#journal.read()) {
      const key = BigInt(record.key);
      if (key > this.#lastKey) this.#lastKey = key;
      if (kind === 'deployed') this.#addProcess(record as Deployed);
      else if (kind === 'instance') this.instances.set(record.key, record as Instance);
      else if (kind === 'incident') this.incidents.set(record.key, record as Incident);
      else this.jobs.set(record.key, record as Job);
    }
    for (const job of this.jobs.values()) this.#lines.place(job);
  }

  deploy(resourceName: string, xml: string): { process: Process; deployed: Deployed } {
    let process: Process;
    try {
      process = readProcess(xml);
    } catch (error) {
      throw invalid(`${resourceName}: ${(error as Error).message}`);
    }
    const known = this.#processes.get(this.#latest.get(process.id) ?? '');
    if (known?.deployed.xml === xml) return known;
    const version = (known?.deployed.version ?? 0) + 1;
    const deployed = { key: this.#nextKey(), version, resourceName, xml };
    this.#journal.put('deployed', deployed);
    return this.#addProcess(deployed);
  }

  create(options: {
    readonly processId?: string;
    readonly processKey?: string;
    readonly variables: Record<string, unknown>;
    readonly tenantId: string;
    readonly tags: readonly string[];
  }): Instance {
    const { processId = '', variables, tenantId, tags } = options;
    const processKey = options.processKey ?? this.#latest.get(processId);
    const found = this.#processes.get(processKey ?? '');
    if (found === undefined || processKey === undefined)
      throw notFound('a process definition', options.processKey ?? processId);
    const instance: Instance = {
      key: this.#nextKey(),
      processKey,
      tenantId,
      tags,
      variables,
      state: 'ACTIVE',
      startedAt: this.clock.now(),
    };
    this.instances.set(instance.key, instance);
    this.#enter(instance, found.process, found.process.start);
    this.#journal.put('instance', instance);
    return instance;
  }

  whenEnded(instance: Instance, ended: () => void): void {
    if (instance.state === 'ACTIVE') this.#ends.set(instance, ended);
    else ended();
  }

  cancel(key: string): void {
    const instance = this.instances.get(key);
    if (instance?.state !== 'ACTIVE') throw notFound('an active process instance', key);
    for (const job of this.jobs.values())
      if (job.instanceKey === key && !ENDED.has(job.state)) this.#setState(job, 'CANCELED');
    this.#endInstance(instance, 'TERMINATED');
  }

  /** The oldest jobs of a type that may be given out, locked from now on. */
  activate(
    type: string,
    max: number,
    { worker, timeoutMs, withLease }: { worker: string; timeoutMs: number; withLease: boolean },
  ): Job[] {
    const jobs = this.#lines.first(type, max);
    for (const job of jobs) {
      job.worker = worker;
      job.lease = withLease ? `${job.key}-${job.activations + 1}` : null;
      if (job.activations > 0 && !this.#fresh.delete(job)) this.counts.redeliveries += 1;
      this.counts.activations += 1;
      job.activations += 1;
      this.#setState(job, 'ACTIVATED', this.clock.now() + timeoutMs);
    }
    return jobs;
  }

  hasReady(type: string): boolean {
    return this.#lines.first(type, 1).length > 0;
  }

  complete(key: string, lease: string | null, variables: Record<string, unknown>): void {
    const { job, instance, process, element } = this.#held(key, lease);
    this.counts.completions += 1;
    this.#setState(job, 'COMPLETED');
    this.whenCompleted(job);
    Object.assign(instance.variables, variables);
    this.#enter(instance, process, element.next);
  }

  fail(
    key: string,
    lease: string | null,
    failure: { retries: number; message: string; backOffMs: number; variables: Record<string, unknown> },
  ): void {
    const { job } = this.#held(key, lease);
    job.retries = failure.retries;
    Object.assign(job.local, failure.variables);
    this.#fresh.add(job);
    if (failure.retries <= 0) {
      this.#setState(job, 'FAILED');
      this.#addIncident(job, 'JOB_NO_RETRIES', failure.message || 'No more retries left.');
    } else if (failure.backOffMs > 0) this.#setState(job, 'BACKOFF', this.clock.now() + failure.backOffMs);
    else this.#setState(job, 'CREATED');
  }

  throwError(
    key: string,
    lease: string | null,
    error: { code: string; message: string; variables: Record<string, unknown> },
  ): void {
    const { job, instance, process, element } = this.#held(key, lease);
    const boundaries = [...process.elements.values()].filter(({ attachedTo }) => attachedTo === element.id);
    const caught =
      boundaries.find(({ errorCode }) => errorCode === error.code) ??
      boundaries.find(({ errorRef }) => errorRef === null);
    this.#setState(job, 'ERROR_THROWN');
    if (caught === undefined) {
      this.#addIncident(job, 'UNHANDLED_ERROR_EVENT', `No boundary event catches the error '${error.code}'.`);
      return;
    }
    Object.assign(instance.variables, error.variables);
    this.#enter(instance, process, caught.next);
  }

  update(key: string, lease: string | null, changeset: { retries?: number; timeoutMs?: number }): void {
    const job = this.jobs.get(key);
    if (job === undefined || ENDED.has(job.state)) throw notFound('a job', key);
    if (lease !== null && lease !== job.lease)
      throw this.#stale(wrongState('The lease is not the current one.'));
    if (changeset.timeoutMs !== undefined) {
      if (job.state !== 'ACTIVATED')
        throw this.#stale(wrongState(`The job '${key}' is ${job.state}, and has no timeout.`));
      this.#setState(job, 'ACTIVATED', this.clock.now() + changeset.timeoutMs);
    }
    if (changeset.retries !== undefined) job.retries = changeset.retries;
    this.#journal.put('job', job);
  }

  resolve(incidentKey: string): void {
    const incident = this.incidents.get(incidentKey);
    if (incident?.state !== 'ACTIVE') throw notFound('an incident', incidentKey);
    const job = this.jobs.get(incident.jobKey) as Job;
    if (job.retries <= 0) throw wrongState(`The job '${job.key}' has no retries left: update them first.`);
    incident.state = 'RESOLVED';
    this.#journal.put('incident', incident);
    this.#fresh.add(job);
    this.#setState(job, 'CREATED');
  }

  /** What a job is told of the process it belongs to. */
  surroundings(job: Job): { instance: Instance; process: Process; deployed: Deployed; element: Element } {
    const instance = this.instances.get(job.instanceKey) as Instance;
    const { process, deployed } = this.processOf(instance);
    return { instance, process, deployed, element: process.elements.get(job.elementId) as Element };
  }

  processOf({ processKey }: Instance): { process: Process; deployed: Deployed } {
    return this.#processes.get(processKey) as { process: Process; deployed: Deployed };
  }

  close(): void {
    this.#lines.close();
  }

  /** Jobs whose next activation is no redelivery. */
  readonly #fresh = new WeakSet<Job>();

  #held(key: string, lease: string | null): { job: Job } & ReturnType<Engine['surroundings']> {
    const job = this.jobs.get(key);
    if (job === undefined || ENDED.has(job.state)) throw this.#stale(notFound('a job', key));
    if (job.state !== 'ACTIVATED' && !this.#isExpired(job))
      throw this.#stale(wrongState(`The job '${key}' is ${job.state}.`));
    if (job.lease !== null && lease !== job.lease)
      throw this.#stale(wrongState(`The job '${key}' was given out with another lease.`));
    return { job, ...this.surroundings(job) };
  }

  /** Its lock ended, and nobody has taken it since: whoever had it may still say how it ended. */
  #isExpired(job: Job): boolean {
    return job.state === 'CREATED' && job.expiries > 0 && !this.#fresh.has(job);
  }

  #stale(problem: Problem): Problem {
    this.counts.stale += 1;
    return problem;
  }

  #enter(instance: Instance, process: Process, id: string | null): void {
    const element = id === null ? undefined : process.elements.get(id);
    if (element === undefined || element.kind === 'end') this.#endInstance(instance, 'COMPLETED');
    else if (element.kind !== 'task') this.#enter(instance, process, element.next);
    else {
      const job: Job = {
        key: this.#nextKey(),
        instanceKey: instance.key,
        elementInstanceKey: this.#nextKey(),
        elementId: element.id,
        type: element.type,
        state: 'CREATED',
        retries: element.retries,
        until: 0,
        worker: '',
        lease: null,
        local: {},
        activations: 0,
        expiries: 0,
      };
      this.jobs.set(job.key, job);
      this.#journal.put('instance', instance);
      this.#setState(job, 'CREATED');
    }
  }

  #endInstance(instance: Instance, state: Instance['state']): void {
    instance.state = state;
    this.#journal.put('instance', instance);
    this.#ends.get(instance)?.();
    this.#ends.delete(instance);
  }

  #addIncident(job: Job, errorType: Incident['errorType'], message: string): void {
    const incident: Incident = {
      key: this.#nextKey(),
      jobKey: job.key,
      instanceKey: job.instanceKey,
      errorType,
      message,
      createdAt: this.clock.now(),
      state: 'ACTIVE',
    };
    this.incidents.set(incident.key, incident);
    this.#journal.put('incident', incident);
  }

  #setState(job: Job, state: Job['state'], until = 0): void {
    job.state = state;
    job.until = until;
    this.#journal.put('job', job);
    this.#lines.place(job);
  }

  #timeUp(job: Job): void {
    if (job.state === 'ACTIVATED') {
      job.expiries += 1;
      this.counts.expiries += 1;
    }
    this.#setState(job, 'CREATED');
  }

  #addProcess(deployed: Deployed): { process: Process; deployed: Deployed } {
    const known = { process: readProcess(deployed.xml), deployed };
    this.#processes.set(deployed.key, known);
    this.#latest.set(known.process.id, deployed.key);
    return known;
  }

  #nextKey(): string {
    this.#lastKey += 1n;
    return String(this.#lastKey);
  }
}

const ENDED: ReadonlySet<Job['state']> = new Set(['COMPLETED', 'CANCELED', 'ERROR_THROWN']);

/** Keys are text since they are larger than what a number holds. */
const FIRST_KEY = 2n ** 53n;
