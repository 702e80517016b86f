import { defineTask } from '../../core/task.ts';

/** Gives back its message: what `longshore operaton work` runs where it is given no tasks, for a first look and for load. */
export const echo = defineTask<{ readonly message?: string }, { readonly echoed: string }>({
  name: 'echo',
  strategy: 'async',
  run: ({ input }) => ({ echoed: input.message ?? '' }),
});
