import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';

/**
 * Preloaded into a program whose CPU profile is taken: lets every thread it starts write one, too. `--cpu-prof` holds
 * for the main thread alone, unless a thread is given it as an argument of its own.
 */
const profiling = process.execArgv.filter((argument) => argument.startsWith('--cpu-prof'));

workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(file, { ...options, execArgv: [...(options.execArgv ?? []), ...profiling] });
  }
};
syncBuiltinESMExports();
