import { isErrorLike, memberOf, messageOf, nameOf, show, showNul, stackOf } from './legible.ts';
import { withoutOwnFrames } from './stack.ts';

/** An error of one attempt, as kept with the job. */
export interface AttemptError {
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** The error's own `code` where it has one (LongshoreError, Node's system errors). */
  readonly code: string | null;
}

const STACK_CHARS_MAX = 8_000;
const MESSAGE_CHARS_MAX = 4_000;
const NAME_CHARS_MAX = 200;

/** Turns whatever a handler threw, `undefined` included, into what is kept with the job. Never throws. */
export function toAttemptError(thrown: unknown, attempt: number, at: number): AttemptError {
  if (!isErrorLike(thrown)) {
    return {
      attempt,
      at,
      name: 'NonError',
      message: showNul(`The handler threw ${show(thrown)}, not an Error.`),
      stack: null,
      code: null,
    };
  }
  const code = memberOf(thrown, 'code');
  return {
    attempt,
    at,
    name: cut(nameOf(thrown), NAME_CHARS_MAX),
    message: cut(messageOf(thrown), MESSAGE_CHARS_MAX),
    stack: cut(stackWithCauses(thrown), STACK_CHARS_MAX),
    code: typeof code === 'string' ? cut(code, NAME_CHARS_MAX) : null,
  };
}

/** With a note behind its message, which may be as long as somebody made it. */
export function withNote(error: AttemptError, note: string): AttemptError {
  return { ...error, message: cut(`${error.message} (${note})`, MESSAGE_CHARS_MAX) };
}

function cut(text: string, charsMax: number): string {
  return showNul(text.slice(0, charsMax));
}

function stackWithCauses(error: Error): string {
  let text = withoutOwnFrames(stackOf(error)).slice(0, STACK_CHARS_MAX);
  let cause = memberOf(error, 'cause');
  for (let depth = 0; isErrorLike(cause) && depth < 5; depth += 1) {
    text += `\ncaused by: ${withoutOwnFrames(stackOf(cause)).slice(0, STACK_CHARS_MAX)}`;
    cause = memberOf(cause, 'cause');
  }
  return text;
}
