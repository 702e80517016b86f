/**
 * What a pool and one of its hosts both see at once, whatever either is doing: a *slate*. It is what makes it safe to
 * hand a host several short jobs in one message (pool.ts), of which each could turn out to be long.
 *
 * On it stands how many jobs of the batch may still begin: the host takes one off before each job but the first, the pool
 * takes all of them off when it wants back what has not begun, and none is ever taken by both. And on it the host writes
 * the results that it has while it goes on to the next job, where the pool can read them although the host is busy.
 *
 * For threads that is shared memory (slate-memory.ts), for processes two files (slate-files.ts).
 */
export interface PoolSlate {
  /** Before a batch is sent, to a host that has nothing to do: wipes it, and lets so many jobs begin beside the first. */
  open(early: number): void;
  /** The jobs that have not begun will not begin. Returns how many; they are the last ones of the batch. */
  takeBack(): number;
  /** What the host wrote since the last call; also when it is dead. */
  read(): string;
  /** The host is gone. */
  close(): void;
}

/** The host's side. */
export interface HostSlate {
  /** A batch has come. */
  open(): void;
  /** False: the job was taken back, and so were those behind it. */
  begin(): boolean;
  /** False: there is no room, and nothing was written. */
  write(line: string): boolean;
}

/** Of lines, in UTF-8. A longer result goes in a message of its own. */
export const SLATE_BYTES = 32_768;
