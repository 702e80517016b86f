import { LongshoreError, mayPass } from '../core/errors.ts';
import { reasonOf } from '../core/legible.ts';
import type { EventBus, Events } from './events.ts';
import { printable } from './terminal.ts';

/** One failure of a task is told in this time; the next line says how many were not. */
const APART_MS = 1_000;
const TASKS_MAX = 1_000;
const MESSAGE_CHARS_MAX = 300;
/** A verb that goes on failing in the same way is told again after this time. */
const AGAIN_MS = 60_000;

interface Means {
  readonly write: (line: string) => void;
  readonly now: () => number;
}

/**
 * Tells what nobody hears of, one line each on standard error: failed jobs, and trouble with the store that does not pass by
 * itself. A program without a logger and without listeners would be silent about the one, and look idle in the other.
 */
export function tellUnheard(
  events: EventBus,
  write: (line: string) => void = (line) => void process.stderr.write(line),
  now: () => number = () => performance.now(),
): void {
  tellFailedJobs(events, { write, now });
  tellTrouble(events, { write, now });
}

function tellFailedJobs(events: EventBus, { write, now }: Means): void {
  const told = new Map<string, { at: number; untold: number }>();
  events.ifUnheard('job.failed', (event) => {
    const last = told.get(event.task);
    if (last !== undefined && now() - last.at < APART_MS) {
      last.untold += 1;
      return;
    }
    if (told.size >= TASKS_MAX) told.clear();
    told.set(event.task, { at: now(), untold: 0 });
    write(`${lineOf(event, last?.untold ?? 0)}\n`);
  });
}

function lineOf({ id, task, queue, attempt, error }: Events['job.failed'], untold: number): string {
  const said = `${error.name}: ${error.message}`;
  const short = said.length > MESSAGE_CHARS_MAX ? `${said.slice(0, MESSAGE_CHARS_MAX)}…` : said;
  const more = untold === 0 ? '' : ` So did ${untold} others of this task since the last line.`;
  const hint = 'the option logger: true tells more, logger: false nothing';
  return printable(
    `longshore: job ${id} of task '${task}' in queue '${queue}' failed at attempt ${attempt}: ${short}${more} (${hint})`,
  );
}

function tellTrouble(events: EventBus, { write, now }: Means): void {
  /** The last line of each verb. */
  const told = new Map<string, { line: string; at: number }>();
  events.ifUnheard('store.failed', ({ verb, error }) => {
    if (mayPass(error)) return;
    const code = error instanceof LongshoreError ? error.code : 'STORE_FAILED';
    const line = printable(`longshore: ${verb} failed: ${reasonOf(error)} (${code})`);
    const last = told.get(verb);
    if (last !== undefined && last.line === line && now() - last.at < AGAIN_MS) return;
    told.set(verb, { line, at: now() });
    write(`${line}\n`);
  });
}
