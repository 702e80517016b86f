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
