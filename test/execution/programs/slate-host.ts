/** Takes off beginnings as fast as it can until it is told to stop, and says how many it got. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { HostFileSlate } from '../../../src/execution/slate-files.ts';
import { HostMemorySlate } from '../../../src/execution/slate-memory.ts';

if (isMainThread) {
  const slate = new HostFileSlate([4, 5]);
  let begun = 0;
  let over = false;
  process.on('message', () => {
    over = true;
  });
  const turn = (): void => {
    for (let n = 0; n < 10_000; n += 1) if (slate.begin()) begun += 1;
    if (!over) setImmediate(turn);
    else process.send?.(begun, () => process.disconnect());
  };
  process.send?.('ready');
  turn();
} else {
  const { memory, over } = workerData as { memory: SharedArrayBuffer; over: Int32Array };
  const slate = new HostMemorySlate(memory);
  let begun = 0;
  parentPort?.postMessage('ready');
  while (Atomics.load(over, 0) === 0) if (slate.begin()) begun += 1;
  while (slate.begin()) begun += 1;
  parentPort?.postMessage(begun);
}
