import { closeSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';
import { isMainThread, threadId } from 'node:worker_threads';

/**
 * Takes a CPU profile of the thread that it is called in, from the first job on, and one heap snapshot for the whole cell.
 * It runs where the handler does: in the worker, in its threads or in its processes.
 */
export interface ProfileSettings {
  readonly folder: string;
  /** How long. */
  readonly ms: number;
}

/** The ending of a profile that is still being taken. */
export const PART = '.part';
export const CPU = '.cpuprofile';
export const HEAP = '.heapsnapshot';

/** `look` is to be called before each job. */
export function profileHere({ folder, ms }: ProfileSettings): { look(): void } {
  const session = new Session();
  let endsAt: number | null = null;
  const name = join(folder, `${isMainThread ? 'main' : `thread-${threadId}`}-of-${process.pid}`);
  const start = (): void => {
    writeFileSync(name + PART, '');
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    session.post('Profiler.start');
    endsAt = performance.now() + ms;
    // A host that gets no more jobs ends its profile, too.
    setTimeout(stop, ms).unref();
  };
  const stop = (): void => {
    if (endsAt === Number.POSITIVE_INFINITY) return;
    endsAt = Number.POSITIVE_INFINITY;
    // A session of the thread's own answers before `post` returns.
    session.post('Profiler.stop', (error, result) => {
      session.disconnect();
      writeFileSync(name + PART, JSON.stringify(error === null ? result.profile : NOTHING));
      if (isFirst(folder)) writeHeapSnapshot(join(folder, `heap${HEAP}`));
      renameSync(name + PART, name + CPU);
    });
  };
  return {
    look() {
      if (endsAt === null) start();
      else if (performance.now() >= endsAt) stop();
    },
  };
}

const INTERVAL_US = 500;
const NOTHING: Profiler.Profile = { nodes: [], startTime: 0, endTime: 0 };

/** One snapshot is enough: it stops its thread for seconds, and is large. */
function isFirst(folder: string): boolean {
  try {
    closeSync(openSync(join(folder, HEAP_MARK), 'wx'));
    return true;
  } catch {
    return false;
  }
}

/** Says that somebody takes the snapshot. */
export const HEAP_MARK = '.heap';
