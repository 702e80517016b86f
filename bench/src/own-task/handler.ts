import { openSync, writeSync } from 'node:fs';
import type { AnyTask, JobContext } from '../longshore.ts';
import { exportedTasks } from './exported-tasks.ts';
import { type ProfileSettings, profileHere } from './profiler.ts';

/**
 * The user's task as a cell runs it: every run of its handler is marked in a file, in whichever thread or process it is.
 * Threads and processes import this module by its URL, whose query says which task of which module is meant.
 */
export interface HandlerFacts {
  /** URL of the module that exports the task. */
  readonly module: string;
  readonly task: string;
  /** Each run of the handler appends its job's id. The file exists. */
  readonly marks: string;
  /** Settings of profiles, as JSON (profiler.ts); empty: none are taken. */
  readonly profile: string;
}

/** The URL that import() takes. */
export function handlerUrl(facts: HandlerFacts): string {
  const url = new URL(import.meta.url);
  url.search = new URLSearchParams({ ...facts }).toString();
  return url.href;
}

/** Ends the id of a job in the file of marks. */
export const MARK_END = '\n';

const QUEUE = 'bench';

const facts = Object.fromEntries(new URL(import.meta.url).searchParams) as Partial<HandlerFacts>;

/** Null where this module is imported without a query, for `handlerUrl`. */
export const task: AnyTask | null =
  facts.module === undefined ? null : await wrapped(facts as HandlerFacts, import.meta.url);

async function wrapped({ module, task: name, marks, profile }: HandlerFacts, here: string): Promise<AnyTask> {
  const exports = (await import(module)) as Record<string, unknown>;
  const own = [...exportedTasks(exports)].find((one) => one.name === name);
  if (own === undefined) throw new Error(`${module} exports no task '${name}'`);
  const file = openSync(marks, 'a');
  const profiler = profile === '' ? null : profileHere(JSON.parse(profile) as ProfileSettings);
  return Object.freeze({
    ...own,
    module: here,
    // One line, one attempt: what is timed is the handler, and equal inputs are jobs of their own.
    queue: QUEUE,
    unique: null,
    key: null,
    attempts: 1,
    hint: null,
    strategy: null,
    run: (context: JobContext<unknown>) => {
      // One write at the end of the file: marks of several processes do not mix.
      writeSync(file, context.id + MARK_END);
      profiler?.look();
      return own.run(context);
    },
  });
}
