import { queueSwitch } from '../queue-switch.ts';
import { counted } from '../text.ts';

export const resume = queueSwitch({
  verb: 'resume',
  throw: (queues, name) => queues.resume(name),
  tell: (name, counts) =>
    counts === null ? `resumed ${name}` : `resumed ${name}: ${counted(counts.ready, 'ready job')}`,
});
