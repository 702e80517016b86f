/** What the servers here enqueue. Tasks have a file of their own, so that threads, processes and other programs can import them. */
import { z } from 'zod';
import { defineTask } from '../../src/index.ts'; // in your project: from 'longshore'

export const welcome = defineTask({
  name: 'welcome',
  input: z.object({ email: z.email() }),
  unique: { mode: 'existing' }, // two clicks, one mail
  run: ({ input }) => ({ sentTo: input.email }),
});
