import { writeSync } from 'node:fs';
import { defineTask } from '../../../src/index.ts';

/** Says where it runs, and never lets go. */
export const holdsForEver = defineTask({
  name: 'holds-for-ever',
  run: () => {
    writeSync(1, `${process.pid}\n`);
    for (;;);
  },
});
