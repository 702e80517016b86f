import type { Topic } from '../notifier.ts';
import type { BeatReceipt, Finding, MigrationReport, WorkerInfo, WorkerLoad } from '../store.ts';
import type { WireError } from './errors.ts';
import type { Work } from './transact.ts';

/** What the caller's thread and the store thread say to each other. All of it is plain data, cloned on the way. */

/** Given to the store thread when it starts. */
export interface Errand {
  readonly file: string;
  /** Names the opened store among those of all processes (wake.ts). */
  readonly instance: string;
  readonly kind: 'serve' | 'migrate' | 'plan' | 'doctor' | 'repair';
  /** A module with `Hooks`, for tests. */
  readonly hooks: string | null;
}

export interface Call extends Work {
  readonly number: number;
  /** How large it is (core/batch.ts). */
  readonly chars: number;
}

export type ToThread =
  | { readonly type: 'calls'; readonly calls: readonly Call[] }
  /** Whether to look for commits of other processes. */
  | { readonly type: 'watch'; readonly on: boolean }
  /** The caller's own connection has committed: other processes are to be told. */
  | { readonly type: 'touch'; readonly topics: readonly Topic[] }
  | {
      readonly type: 'keepAlive';
      readonly keeper: number;
      readonly worker: WorkerInfo;
      readonly leaseMs: number;
      readonly intervalMs: number;
    }
  | { readonly type: 'load'; readonly keeper: number; readonly load: WorkerLoad }
  | { readonly type: 'letGo'; readonly keeper: number }
  /** After everything said before. */
  | { readonly type: 'close' };

export type Reply =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly error: WireError };

export type FromThread =
  /** The errand is done, or the store is open. */
  | { readonly type: 'done'; readonly value: MigrationReport | readonly Finding[] | null }
  | { readonly type: 'refused'; readonly error: WireError }
  | { readonly type: 'replies'; readonly replies: readonly Reply[]; readonly topics: readonly Topic[] }
  /** Another process committed something. */
  | { readonly type: 'changed' }
  | { readonly type: 'beaten'; readonly keeper: number; readonly receipt: BeatReceipt }
  | { readonly type: 'unbeaten'; readonly keeper: number; readonly error: WireError };
