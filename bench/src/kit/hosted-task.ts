import { defineTask } from '../longshore.ts';
import { runHosted } from './hosted.ts';
import type { JobInput } from './system.ts';

/** Longshore's task whose handler runs in its threads and processes, which import this module. */
export const measured = defineTask({ name: 'measured', run: ({ input }) => runHosted(input as JobInput) });
