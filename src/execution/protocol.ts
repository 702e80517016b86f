import type { DurablePort } from './durable-calls.ts';
import type { SlateMemory } from './slate-memory.ts';
import type { TransactionPort } from './transaction-port.ts';
import type { WireError } from './wire-error.ts';

/** What the pool and its hosts tell each other; the same for threads and processes. Payloads are JSON text. */

/** Given to a host when it starts. */
export interface HostSettings {
  /** Limit of a host's heap; null: Node's own. */
  readonly heapBytesMax: number | null;
  /** A host that takes more memory than this after a job is replaced; null: never. */
  readonly recycleBytes: number | null;
  /** Where what handlers print goes: to standard output, or to standard error as where standard output is data. */
  readonly printTo: 'stdout' | 'stderr';
}

/** Given to a host that is a thread. */
export interface ThreadData {
  readonly settings: HostSettings;
  /** Shared memory that the thread may wait on for messages (waker.ts). */
  readonly posted: Int32Array;
  /** How many messages the thread has done with: it is back in its event loop, or was when it wrote this. */
  readonly heard: Int32Array;
  readonly slate: SlateMemory;
}

/** Given to a host that is a process. */
export interface ProcessData {
  readonly settings: HostSettings;
  /** It has inherited a slate. */
  readonly hasSlate: boolean;
  /** The folder to run in; null: it was deleted, and the process stays where it was started. */
  readonly folder: string | null;
}

export interface LoadMessage {
  readonly type: 'load';
  readonly job: number;
  /** The pool's number for it, which later messages use. */
  readonly task: number;
  readonly name: string;
  /** What import() takes. */
  readonly module: string;
}

export interface RunMessage {
  readonly type: 'run';
  /** One after the other. All but the first can be taken back by the pool until they begin (slate.ts). */
  readonly jobs: readonly RunJob[];
  /** For one job alone. */
  readonly measure: boolean;
}

/** Without names for its parts: they would be copied with each job. */
export type RunJob = readonly [
  /** The pool's number for this run of it. */
  job: number,
  task: number,
  id: string,
  queue: string,
  key: string | null,
  attempt: number,
  attemptsMax: number,
  input: string | null,
  payloadBytesMax: number,
  meta: string | null,
];

export type ToHost =
  | LoadMessage
  | RunMessage
  | { readonly type: 'abort'; readonly job: number; readonly reason: WireError }
  | AnswerMessage
  | { readonly type: 'close' };

/** What a handler asks its worker: `lastProgress`, or something of its durable steps or its transaction. */
export interface AskMessage {
  readonly type: 'ask';
  readonly job: number;
  readonly call: number;
  readonly verb: 'lastProgress' | keyof DurablePort | keyof TransactionPort;
  readonly given: readonly unknown[];
}

export interface AnswerMessage {
  readonly type: 'answer';
  readonly job: number;
  /** As asked. */
  readonly call: number;
  /** JSON text; null: undefined. */
  readonly value: string | null;
  /** Why there is no answer; null: there is. */
  readonly error: WireError | null;
}

/** What one job took. */
export interface Usage {
  /** Time in which the host's event loop was not idle, ms. */
  readonly busyMs: number;
  readonly wallMs: number;
  /** Longest time that the event loop was held at a stretch, ms; up to 20 less than it was. */
  readonly heldMs: number;
}

export interface Ended {
  readonly job: number;
  /** null: not asked for, or other jobs ran in the host meanwhile. */
  readonly usage: Usage | null;
  /** Time in the handler, ms. */
  readonly ranMs: number;
  /** The host wants to be replaced: it takes too much memory. */
  readonly spent: boolean;
  /** Nothing of its batch is left. */
  readonly last: boolean;
}

export interface DoneMessage extends Ended {
  readonly type: 'done';
  readonly result: string | null;
}

export interface FailedMessage extends Ended {
  readonly type: 'failed';
  /** The job itself is at fault, not its handler. */
  readonly unfit: boolean;
  readonly error: WireError;
}

/** The last words of a host whose JavaScript knows that it ends. */
export interface DyingMessage {
  readonly type: 'dying';
  /** Whose code did it, as the asynchronous context says; null: nobody knows. */
  readonly job: number | null;
  readonly how: 'exit' | 'uncaughtException' | 'unhandledRejection';
  readonly exitCode: number;
  readonly error: WireError | null;
}

export type FromHost =
  | { readonly type: 'ready' }
  | { readonly type: 'loaded'; readonly job: number }
  | { readonly type: 'unloadable'; readonly job: number; readonly error: WireError }
  /** The handler is alive; absent progress is unchanged. */
  | { readonly type: 'alive'; readonly job: number; readonly progress?: string | null }
  | AskMessage
  | { readonly type: 'log'; readonly job: number; readonly message: string; readonly data: string | null }
  | DoneMessage
  | FailedMessage
  /** The rest of the batch was taken back, and the host has nothing to do. */
  | { readonly type: 'dry' }
  | DyingMessage;
