import { show } from '../../core/errors.ts';
import { type Dialect, type Meaning, type Refusal, remediesOf } from '../http/dialect.ts';

/** What Operaton's answers mean. `title` is the engine's name of the exception; empty where the answer is none of the engine's. */
export const operatonDialect: Dialect = {
  engine: 'Operaton',
  ...remediesOf('engine', { url: 'OPERATON_URL', tls: '`tls`' }),
  wordsOf: ({ type, message }) => ({ title: type, detail: message }),
  meaningOf,
  quoted: ({ detail }) => (detail === '' ? '' : `, ${show(detail)}`),
  advice: {
    busy: 'It may be starting or overloaded; if this lasts, check the address: it ends in /engine-rest as a rule.',
    conflict: 'Another transaction changed the same process; it is tried again.',
    gone: 'The task is completed or cancelled, or another worker holds its lock.',
    unauthorized: 'Check `auth`: user name and password, or token; and what that user may do in the engine.',
    refused: "The message is the engine's own.",
  },
  parse,
};

function meaningOf({ status, title, detail }: Refusal): Meaning {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429 || (status >= 502 && status <= 504)) return 'busy';
  if (title === 'OptimisticLockingException' || /ENGINE-03005/.test(detail)) return 'conflict';
  // A 404 about anything but a task comes of a wrong path, or of a server whose engine has not started.
  if (status === 404) return /does not exist/.test(detail) ? 'gone' : 'busy';
  return /is locked by worker|lock that expired/.test(detail) ? 'gone' : 'refused';
}

/** A Long that a number cannot hold exactly becomes a text of its digits. */
function parse(text: string): unknown {
  if (!LONG_DIGITS.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? (context?.source ?? value)
      : value,
  );
}

const LONG_DIGITS = /[:[,]\s*-?\d{16,}/;
