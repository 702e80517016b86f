import { Worker } from 'node:worker_threads';
import { type HostLine, type HostListener, heapMiB, hostProgram } from './host-starter.ts';
import type { FromHost, HostSettings, ThreadData } from './protocol.ts';
import { PoolMemorySlate } from './slate-memory.ts';
import { Waker } from './waker.ts';

/** Starts a host that is a thread. It never keeps the process alive by itself. */
export function startThread(settings: HostSettings, listener: HostListener): HostLine {
  const { heapBytesMax } = settings;
  const waker = new Waker();
  const slate = new PoolMemorySlate();
  const worker = new Worker(hostProgram('thread'), {
    name: 'longshore thread',
    workerData: {
      settings,
      posted: waker.posted,
      heard: waker.heard,
      slate: slate.memory,
    } satisfies ThreadData,
    ...(heapBytesMax === null ? {} : { resourceLimits: heapLimits(heapBytesMax) }),
  });
  worker.unref();
  let error: unknown = null;
  worker.on('message', (message: FromHost | string) => listener.onMessage(message));
  worker.on('error', (fault) => {
    error = fault;
  });
  worker.on('exit', (exitCode) => {
    waker.forget();
    const code = (error as { code?: unknown } | null)?.code;
    listener.onEnd({ exitCode, signal: null, outOfMemory: code === 'ERR_WORKER_OUT_OF_MEMORY', error });
  });
  return {
    id: worker.threadId,
    slate,
    post: (message) => {
      worker.postMessage(message);
      waker.wake();
    },
    kill: () => void worker.terminate(),
  };
}

/**
 * At its limit a thread gets 16 MiB more to end in, and where that is not enough, V8 ends the whole process. A young
 * generation that is smaller than that, when it is moved, fits in.
 */
function heapLimits(bytes: number): { maxOldGenerationSizeMb: number; maxYoungGenerationSizeMb: number } {
  return { maxOldGenerationSizeMb: heapMiB(bytes), maxYoungGenerationSizeMb: 8 };
}
