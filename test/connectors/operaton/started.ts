import {
  type OperatonOptions,
  type OperatonWorker,
  operatonWorker,
} from '../../../src/connectors/operaton/index.ts';

/** A worker that ends with the test. */
export function workerFor(
  t: { after(end: () => Promise<void>): void },
  options: OperatonOptions,
): OperatonWorker {
  const worker = operatonWorker({ pollMs: 1_000, logger: false, ...options });
  t.after(() => worker.stop({ graceMs: 0 }));
  return worker;
}
