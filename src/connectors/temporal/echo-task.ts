import { defineTask } from '../../core/task.ts';

/** The activity of EchoWorkflow: returns its message. */
export const echo = defineTask<string, string>({ name: 'echo', run: ({ input }) => input });
