import { isMainThread } from 'node:worker_threads';
import workerpool from 'workerpool';

const f = async (how) => {
  if (how === 'exit') process.exit(3);
  if (how === 'later') {
    setImmediate(() => {
      throw new Error('late');
    });
    await new Promise(() => {});
  }
  if (how === 'loop') for (;;);
  if (how === 'wait') await new Promise((r) => setTimeout(r, 600));
  return 'ok';
};
export default f;
if (!isMainThread || process.send) {
  try {
    workerpool.worker({ f });
  } catch {}
}
