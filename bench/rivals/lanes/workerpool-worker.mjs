import { isMainThread } from 'node:worker_threads';
import workerpool from 'workerpool';

const noop = (x) => x;
export default noop;
if (!isMainThread || process.send) {
  try {
    workerpool.worker({ noop });
  } catch {}
}
