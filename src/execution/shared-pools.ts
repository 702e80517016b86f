import { availableParallelism } from 'node:os';
import type { PoolKind } from './lane.ts';
import { Pool } from './pool.ts';
import type { HostEvent } from './pool-options.ts';
import { startProcess } from './process.ts';
import { startThread } from './thread.ts';

/**
 * The pools of this process. Workers with the same settings share one: what a pool shares out is the machine's cores,
 * and three workers with a pool each would run three times as many handlers as there are cores. The pool ends with the
 * last worker that had a share.
 */
export class SharedPools {
  readonly #settings: PoolSettings;
  readonly #onHost: (event: HostEvent) => void;
  readonly #onRoom: () => void;

  /** `onRoom`: one of the pools that were shared may have room again. */
  constructor(settings: PoolSettings, onHost: (event: HostEvent) => void, onRoom: () => void) {
    this.#settings = settings;
    this.#onHost = onHost;
    this.#onRoom = onRoom;
  }

  /** Jobs that can run in it at a time. */
  capacity(kind: PoolKind): number {
    return sizeOf(kind, this.#settings) * this.#settings.jobsPerHost;
  }

  share(kind: PoolKind): SharedPool {
    const key = keyOf(kind, this.#settings);
    const entry = ENTRIES.get(key) ?? makeEntry(key, kind, this.#settings);
    entry.shares += 1;
    entry.listeners.add(this.#onHost);
    entry.inLine.add(this.#onRoom);
    let held = true;
    return {
      pool: entry.pool,
      starts: () => {
        if (entry.shares > 1 && entry.inLine.delete(this.#onRoom)) entry.inLine.add(this.#onRoom);
      },
      release: async () => {
        if (!held) return;
        held = false;
        entry.inLine.delete(this.#onRoom);
        entry.shares -= 1;
        if (entry.shares > 0) {
          entry.listeners.delete(this.#onHost);
          return;
        }
        ENTRIES.delete(key);
        await entry.pool.close();
        entry.listeners.delete(this.#onHost);
      },
    };
  }
}

export interface SharedPool {
  readonly pool: Pool;
  /** A job of this worker is started in it: the others have their turn first when there is room again. */
  starts(): void;
  release(): Promise<void>;
}

export interface PoolSettings {
  /** Most threads; null: as many as the machine runs in parallel. */
  readonly threads: number | null;
  readonly processes: number | null;
  readonly jobsPerHost: number;
  readonly recycleJobs: number;
  readonly recycleBytes: number | null;
  readonly heapBytesMax: number | null;
  readonly printTo: 'stdout' | 'stderr';
}

interface Entry {
  readonly pool: Pool;
  readonly listeners: Set<(event: HostEvent) => void>;
  /** Those to be told of room, the next one first. */
  readonly inLine: Set<() => void>;
  shares: number;
}

const ENTRIES = new Map<string, Entry>();

/** Equal where everything is that makes a difference to this kind of pool. */
function keyOf(kind: PoolKind, settings: PoolSettings): string {
  const { threads, processes, jobsPerHost, recycleJobs, recycleBytes, heapBytesMax, printTo } = settings;
  const size = kind === 'thread' ? threads : processes;
  return JSON.stringify([kind, size, jobsPerHost, recycleJobs, recycleBytes, heapBytesMax, printTo]);
}

function makeEntry(key: string, kind: PoolKind, settings: PoolSettings): Entry {
  const { jobsPerHost, recycleJobs, recycleBytes, heapBytesMax, printTo } = settings;
  const listeners = new Set<(event: HostEvent) => void>();
  const inLine = new Set<() => void>();
  const pool = new Pool({
    lane: kind,
    start: kind === 'thread' ? startThread : startProcess,
    size: sizeOf(kind, settings),
    jobsPerHost,
    recycleJobs,
    settings: { recycleBytes, heapBytesMax, printTo },
    onHost: (event) => {
      for (const listener of listeners) listener(event);
    },
    onRoom: () => offerRoom(pool, inLine),
  });
  const entry = { pool, listeners, inLine, shares: 0 };
  ENTRIES.set(key, entry);
  return entry;
}

function sizeOf(kind: PoolKind, { threads, processes }: PoolSettings): number {
  return (kind === 'thread' ? threads : processes) ?? availableParallelism();
}

/** Workers take turns: who starts a job, at once or after a claim, goes to the end of the line. */
function offerRoom(pool: Pool, inLine: ReadonlySet<() => void>): void {
  for (const onRoom of [...inLine]) {
    if (pool.room <= 0) return;
    onRoom();
  }
}
