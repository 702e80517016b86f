import { queueSwitch } from '../queue-switch.ts';
import { counted } from '../text.ts';

export const pause = queueSwitch({
  verb: 'pause',
  throw: (queues, name) => queues.pause(name),
  tell: (name, counts) => {
    if (counts === null) return `paused ${name}; running jobs go on`;
    return `paused ${name}: ${counted(counts.ready, 'ready job')} ${counts.ready === 1 ? 'waits' : 'wait'}, ${counts.running} running ${counts.running === 1 ? 'goes' : 'go'} on`;
  },
});
