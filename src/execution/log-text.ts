import { optionInvalid, showNul } from '../core/errors.ts';

const MESSAGE_CHARS_MAX = 10_000;

/** A handler's log message as it is kept. Throws OPTION_INVALID. */
export function logText(message: unknown): string {
  if (typeof message !== 'string' || message === '')
    throw optionInvalid('the log message', message, 'a string of at least 1 character');
  return showNul(message.slice(0, MESSAGE_CHARS_MAX));
}
