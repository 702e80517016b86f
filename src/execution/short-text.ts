import type { DoneMessage, RunMessage } from './protocol.ts';
import { readSlateLine, slateLine } from './slate-line.ts';

/**
 * The two messages that every job takes, as text: to copy that takes a third of what objects take. Long inputs and
 * results are better copied as they are than written into other text.
 */
const TEXT_CHARS_MAX = 4_096;

export function packRun(message: RunMessage): RunMessage | string {
  let chars = 0;
  for (const job of message.jobs) chars += job[7]?.length ?? 0;
  return message.measure || chars > TEXT_CHARS_MAX ? message : JSON.stringify(message.jobs);
}

export function unpackRun(message: string): RunMessage {
  return { type: 'run', jobs: JSON.parse(message) as RunMessage['jobs'], measure: false };
}

export function packDone(message: DoneMessage): DoneMessage | string {
  const { job, ranMs, result, usage, spent, last } = message;
  if (usage !== null || spent || !last || (result?.length ?? 0) > TEXT_CHARS_MAX) return message;
  return slateLine(job, ranMs, result);
}

/** As the last one of its batch. */
export function unpackDone(message: string): DoneMessage {
  return { type: 'done', ...readSlateLine(message.slice(0, -1)), usage: null, spent: false, last: true };
}
