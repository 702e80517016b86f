import { LongshoreError, show } from './errors.ts';
import { isDate, reasonOf, tagOf } from './legible.ts';

/**
 * The payload codec: JSON text in UTF-8. What cannot come back as it went in is refused at the door, with the
 * path of the value that is to blame, instead of being dropped in silence as JSON.stringify would.
 * `undefined` as a whole payload is stored as null (no payload). Objects with `toJSON` (Date, URL) are written by it.
 */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export const PAYLOAD_BYTES_MAX_DEFAULT = 1_048_576;

/**
 * What a payload is and whose. Sealed text opens in its own place only, so that it cannot be copied to another job. An
 * input whose unique key may hand it to a job that waits already (modes `replace` and `debounce`) is sealed before anybody
 * knows that job: its `id` is null, and it opens for any job of its task.
 */
export type PayloadPlace =
  | { readonly role: 'input'; readonly task: string; readonly id: string | null }
  | { readonly role: 'result' | 'progress' | 'log'; readonly id: string }
  /** What a handler keeps under a name (job-steps.ts). */
  | { readonly role: 'step'; readonly id: string; readonly name: string }
  /** All that a run of a flow keeps; `id` is the run's. */
  | { readonly role: 'run'; readonly id: string }
  /** The input that a schedule gives; `id` is its name. */
  | { readonly role: 'schedule'; readonly id: string };

export function inputOf({ task, id }: { readonly task: string; readonly id: string | null }): PayloadPlace {
  return { role: 'input', task, id };
}

/** Encrypts payloads at rest; implemented outside core (src/cipher.ts). */
export interface Cipher {
  seal(text: string, place: PayloadPlace): string;
  /** Throws KEY_UNKNOWN, PAYLOAD_PLAIN, PAYLOAD_CORRUPT. */
  open(text: string, place: PayloadPlace, what: string): string;
  /** Shortens a text to a unique key that tells nothing of it. */
  digest(text: string): string;
}

/** The codec of one connection: the JSON rules, the size limit and the cipher. */
export class PayloadCodec {
  readonly #bytesMax: number;
  readonly #cipher: Cipher;

  constructor(bytesMax: number, cipher: Cipher) {
    this.#bytesMax = bytesMax;
    this.#cipher = cipher;
  }

  /** Largest payload, counted as JSON before encryption. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** From a stored payload to its JSON text. Throws KEY_UNKNOWN, PAYLOAD_PLAIN, PAYLOAD_CORRUPT. */
  open(text: string | null, place: PayloadPlace, what: string): string | null {
    return text === null ? null : this.#cipher.open(text, place, what);
  }

  /** From JSON text to what is stored. */
  seal(text: string | null, place: PayloadPlace): string | null {
    return text === null ? null : this.#cipher.seal(text, place);
  }

  /** From a value to its JSON text, which `seal` takes. Throws as `encodePayload`. */
  text(value: unknown, what: string): string | null {
    return encodePayload(value, what, this.#bytesMax);
  }

  /** From a value to what is stored. The limit counts the JSON, before encryption. */
  encode(value: unknown, place: PayloadPlace, what: string): string | null {
    return this.seal(this.text(value, what), place);
  }

  /** As `decodePayload`. Throws KEY_UNKNOWN, PAYLOAD_PLAIN, PAYLOAD_CORRUPT. */
  decode(text: string | null, place: PayloadPlace, what: string): unknown {
    return decodePayload(this.open(text, place, what), what);
  }

  /** The default unique key of an input, out of its JSON. */
  digest(text: string): string {
    return this.#cipher.digest(text);
  }
}

/** Encodes `value`; `what` names it in errors ("the input of task 'thumbnail'"). Throws PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
export function encodePayload(
  value: unknown,
  what: string,
  bytesMax: number = PAYLOAD_BYTES_MAX_DEFAULT,
): string | null {
  if (value === undefined) return null;
  const fault = faultOf(value);
  if (fault !== null) throw notJson(what, fault);
  const text = stringify(value, what);
  // A UTF-16 unit takes at most 3 bytes in UTF-8: most payloads need no exact count.
  if (text.length * 3 > bytesMax) requireSize(text, what, bytesMax);
  return text;
}

/** Decodes what `encodePayload` made. Throws PAYLOAD_CORRUPT. */
export function decodePayload(text: string | null, what: string): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LongshoreError('PAYLOAD_CORRUPT', `${capital(what)} cannot be read back: ${reasonOf(cause)}.`, {
      cause,
      details: { what, starts: text.slice(0, 80) },
    });
  }
}

interface Fault {
  readonly path: string;
  readonly problem: string;
}

const DEPTH_MAX = 200;

function faultOf(value: unknown): Fault | null {
  try {
    return findFault(value, '', 0);
  } catch (cause) {
    // A getter that throws, a revoked proxy.
    return { path: '', problem: `cannot be read (${reasonOf(cause)})` };
  }
}

function findFault(value: unknown, path: string, depth: number): Fault | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null;
    case 'number':
      return Number.isFinite(value) ? null : { path, problem: `is ${value}, which JSON has no word for` };
    case 'object':
      return value === null ? null : findFaultInObject(value, path, depth);
    case 'bigint':
      return { path, problem: `is the bigint ${value}; send it as a string` };
    case 'undefined':
      return { path, problem: 'is undefined inside an array; use null' };
    default:
      return { path, problem: `is a ${typeof value}` };
  }
}

function findFaultInObject(value: object, path: string, depth: number): Fault | null {
  if (depth > DEPTH_MAX)
    return { path: path.slice(0, 120), problem: `lies deeper than ${DEPTH_MAX} levels, or refers to itself` };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      if (typeof item === 'string') continue;
      const fault = findFault(item, `${path}[${index}]`, depth + 1);
      if (fault !== null) return fault;
    }
    return null;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return findFaultInToJson(value as { toJSON(): unknown }, path, depth);
  if (!isPlain(value)) return { path, problem: `is ${show(value)}; send a plain object or an array` };
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined || typeof item === 'string') continue;
    const fault = findFault(item, path === '' ? key : `${path}.${key}`, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}

function findFaultInToJson(value: { toJSON(): unknown }, path: string, depth: number): Fault | null {
  if (isDate(value) && Number.isNaN(value.getTime())) return { path, problem: 'is an invalid date' };
  let written: unknown;
  try {
    written = value.toJSON();
  } catch {
    return null; // It throws again when the text is made, and is reported there with its cause.
  }
  if (written === undefined) return { path, problem: 'turns into nothing when written as JSON' };
  return findFault(written, path, depth + 1);
}

/** Class instances with plain data pass; containers whose content JSON drops (Map, Set, buffers, promises) do not. */
function isPlain(value: object): boolean {
  const tag = tagOf(value);
  return tag === '[object Object]' || tag === '[object Arguments]';
}

function stringify(value: unknown, what: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new LongshoreError(
      'PAYLOAD_NOT_JSON',
      `${capital(what)} cannot be written as JSON: ${reasonOf(cause)}`,
      { cause },
    );
  }
  if (text === undefined)
    throw notJson(what, { path: '', problem: 'turns into nothing when written as JSON' });
  return text;
}

function requireSize(text: string, what: string, bytesMax: number): void {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= bytesMax) return;
  throw new LongshoreError(
    'PAYLOAD_TOO_LARGE',
    `${capital(what)} takes ${bytes} bytes as JSON; the limit is ${bytesMax}. Store the data elsewhere and send a reference, or raise payloadBytesMax.`,
    { details: { what, bytes, bytesMax } },
  );
}

function notJson(what: string, fault: Fault): LongshoreError {
  const where = fault.path === '' ? 'the value' : fault.path;
  return new LongshoreError(
    'PAYLOAD_NOT_JSON',
    `${capital(what)} cannot be written as JSON without loss: ${where} ${fault.problem}.`,
    {
      details: { what, path: fault.path, problem: fault.problem },
    },
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
