import type { Sabotage } from '../ledger.ts';
import type { ServerPlace } from '../site.ts';

/**
 * The driver port: what a job system must do to be measured. A driver goes through the public interface of its system alone.
 * All drivers are given the same jobs and handlers, and are judged by the same ledger, finish line and clock (agent.ts).
 */
export interface System {
  /** Makes what the system needs on its server; it may be there already, for several processes do this. */
  prepare(): Promise<unknown>;
  /** One job, durable when resolved. */
  enqueue(input: JobInput): Promise<unknown>;
  /** One batch, durable when resolved. */
  enqueueMany(inputs: readonly JobInput[]): Promise<unknown>;
  /** Enqueues a job of the kind `timed` and resolves to when its handler ended, as its result says, on the machine's monotonic clock. */
  enqueueAndAwait?(input: JobInput): Promise<number>;
  /** Starts a worker. `ended` is called when a job's end is in the store, by systems that tell of it. */
  work(handler: JobHandler, ended: (n: number) => void): Promise<{ stop(): Promise<unknown> }>;
  /** The finish line: jobs that wait or run, as the server knows. */
  unfinished(): Promise<number>;
  /** Jobs by state, as the server knows. Without `completed` where finished jobs are deleted. */
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Deletes all jobs. */
  purge(): Promise<unknown>;
  close(): Promise<unknown>;
}

export type JobHandler = (input: JobInput) => unknown;

export interface JobInput {
  /** The job's number, from 0; -1: to warm up. */
  readonly n: number;
  /** On the machine's monotonic clock, of jobs that are sent at a rate. */
  readonly intendedMs?: number;
  readonly pad?: string;
  /** When the handler began, on that clock, where it ran in another process. */
  readonly startedMs?: number;
}

/** What an agent is started with. */
export interface AgentSettings {
  readonly system: string;
  readonly url: string;
  readonly server: ServerPlace | null;
  /** Name out of handlers.ts. */
  readonly handler: string;
  /** What a handler that computes does: digests a job. */
  readonly digests: number;
  /** Jobs of the ledger. */
  readonly jobs: number;
  readonly concurrency: number;
  /** Where handlers run: in the agent's process, or in threads or processes of the system's own (hosted.ts). */
  readonly strategy: 'async' | 'thread' | 'process';
  /** How many of these. */
  readonly hosts: number;
  /** A file that is not there yet, for what hosts ran. */
  readonly marksFile: string;
  /** Whether finished jobs are kept, where the system can do both. */
  readonly keeps: boolean;
  /** Kind of job, for systems that have kinds (longshore-kinds.ts). */
  readonly kind: string;
  /** How long a worker that is gone keeps its jobs, for systems that can be told; default 30,000. */
  readonly leaseMs: number;
  /** Whether ends of jobs are to be told: it costs the system a little. */
  readonly timesEnds: boolean;
  readonly sabotage: Sabotage | null;
}
