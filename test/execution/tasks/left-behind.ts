import { writeFileSync } from 'node:fs';
import { defineTask } from '../../../src/index.ts';

/** Ends at once, and leaves a timer behind that writes a file. */
export const leavesTimer = defineTask({
  name: 'leaves-timer',
  strategy: 'thread',
  run: ({ input }) => {
    setTimeout(() => writeFileSync(input as string, 'rang'), 5);
  },
});

/** Ends at once; what it leaves behind holds the thread's event loop for longer than anybody looks for a waiting thread. */
export const leavesBusyTimer = defineTask({
  name: 'leaves-busy-timer',
  strategy: 'thread',
  run: () => {
    setTimeout(() => {
      const until = performance.now() + 60;
      while (performance.now() < until);
    }, 0);
  },
});
