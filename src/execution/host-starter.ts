import { ownFile } from '../own-file.ts';
import type { PoolKind } from './lane.ts';
import type { FromHost, HostSettings, ToHost } from './protocol.ts';
import type { PoolSlate } from './slate.ts';

/** Starts a host and is its line to the pool: one for threads (thread.ts), one for processes (process.ts). */
export type HostStarter = (settings: HostSettings, listener: HostListener) => HostLine;

export interface HostLine {
  /** The thread's id in this process, or the process's id. */
  readonly id: number;
  /** Null: it can be given one job at a time. */
  readonly slate: PoolSlate | null;
  /** As text: of `packRun`. */
  post(message: ToHost | string): void;
  /** Ends it at once, whatever it does. `onEnd` follows. */
  kill(): void;
}

export interface HostListener {
  /** As text: of `packDone`. */
  onMessage(message: FromHost | string): void;
  /** Once, after the last message. */
  onEnd(end: HostEnd): void;
}

/** One that cannot even be started (no memory, too many threads) ends at once. */
export function startHost(start: HostStarter, settings: HostSettings, listener: HostListener): HostLine {
  try {
    return start(settings, listener);
  } catch (error) {
    setImmediate(() => listener.onEnd({ exitCode: null, signal: null, outOfMemory: false, error }));
    return { id: 0, slate: null, post: () => undefined, kill: () => undefined };
  }
}

/** How a host ended, as seen from outside. */
export interface HostEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly outOfMemory: boolean;
  readonly error: unknown;
}

/** What a host of this kind runs. Throws PACKAGE_INCOMPLETE. */
export function hostProgram(kind: PoolKind): URL {
  return ownFile(`./${kind}-main`, import.meta.url);
}

const MIB = 1_048_576;

export function heapMiB(bytes: number): number {
  return Math.max(1, Math.round(bytes / MIB));
}
