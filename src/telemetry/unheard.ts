import type { EventBus, Events } from './events.ts';
import { printable } from './terminal.ts';

/** Of each task one failure is told a second; the next line says how many were not. */
const APART_MS = 1_000;
const TASKS_MAX = 1_000;
const MESSAGE_CHARS_MAX = 300;

/**
 * Tells of failed jobs that nobody hears of: a program without a logger and without listeners would be silent about them.
 * One line each, on standard error.
 */
export function tellUnheard(
  events: EventBus,
  write: (line: string) => void = (line) => void process.stderr.write(line),
  now: () => number = () => performance.now(),
): void {
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
  const hint = 'connect(url, { logger: true }) tells more, { logger: false } nothing.';
  return printable(
    `longshore: job ${id} of task '${task}' in queue '${queue}' failed at attempt ${attempt}: ${short}${more} (${hint})`,
  );
}
