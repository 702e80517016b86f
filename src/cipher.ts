import { LongshoreError, optionInvalid, requireName } from './core/errors.ts';
import { knownNames, requireOptions } from './core/options.ts';
import type { Cipher, PayloadPlace } from './core/payload.ts';

/**
 * Payloads encrypted at rest: AES-256-GCM with a random 96-bit nonce for each payload (NIST SP 800-38D), under a key
 * ring. Covers inputs, results, progress and log data. Task and queue names, unique keys, log messages and error
 * texts stay readable, because operators search them.
 *
 * Sealed text is `sealed:1:<key id>:<bound>:<nonce, tag and ciphertext in base64>`. `bound` is `j` where the text belongs to
 * one job, `t` where it belongs to the jobs of a task; its place (core/payload.ts) is the additional authenticated data.
 */
export interface EncryptionOptions {
  /** The first key encrypts; all decrypt. To rotate, put the new key first and keep the old one until its jobs are gone. */
  readonly keys: readonly EncryptionKey[];
  /**
   * Also takes payloads that were never encrypted; default false. For the time in which encryption is turned on, and for
   * jobs enqueued by plain SQL. While it is true, whoever can write to the store can give a job any input.
   */
  readonly acceptPlain?: boolean;
  /**
   * 32 bytes, raw or in base64, which the default unique key of a job is derived with; default: the last key of the ring.
   * Equal inputs are one job only while this stays the same: before another key becomes the last one, set its bytes here.
   */
  readonly uniqueSecret?: Uint8Array | string;
}

export interface EncryptionKey {
  /** Stored with each payload, so that its key is found again; 1 to 40 characters without a colon. */
  readonly id: string;
  /** 32 bytes, raw or in base64. */
  readonly key: Uint8Array | string;
}

const ENCRYPTION_OPTIONS = knownNames<EncryptionOptions>({
  keys: true,
  acceptPlain: true,
  uniqueSecret: true,
});
const KEY_OPTIONS = knownNames<EncryptionKey>({ id: true, key: true });

const PREFIX = 'sealed:1:';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Throws OPTION_INVALID for an empty ring, a doubled id or a key that is not 32 bytes long. */
export function keyRingCipher(options: EncryptionOptions): Cipher {
  requireOptions('encryption', options, ENCRYPTION_OPTIONS);
  const { acceptPlain = false, uniqueSecret } = options;
  if (typeof acceptPlain !== 'boolean')
    throw optionInvalid('encryption.acceptPlain', acceptPlain, 'true or false');
  const ring = ringOf(options.keys);
  const [[currentId, currentKey]] = ring as [[string, Buffer]];
  const oldest = ring.at(-1)?.[1] as Buffer;
  const secret = uniqueSecret === undefined ? oldest : keyBytes(uniqueSecret, 'encryption.uniqueSecret');
  const uniqueKey = hmac(secret, 'longshore unique key');
  const keys = new Map(ring);
  return {
    seal(text, place) {
      const bound = place.id === null ? 't' : 'j';
      return `${PREFIX}${currentId}:${bound}:${seal(text, currentKey, boundTo(place, bound))}`;
    },
    open(text, place, what) {
      const sealed = parse(text);
      if (sealed === null) {
        if (acceptPlain) return text;
        throw plain(what);
      }
      const key = keys.get(sealed.keyId);
      if (key === undefined) throw keyUnknown(what, sealed.keyId, [...keys.keys()]);
      return open(sealed, key, boundTo(place, sealed.bound), what);
    },
    digest: (text) => hmac(uniqueKey, text).toString('base64url'),
  };
}

/** The cipher of a connection without keys: it reads plain payloads and says what is missing for sealed ones. */
export const noKeys: Cipher = {
  seal: (text) => text,
  open(text, _place, what) {
    const sealed = parse(text);
    if (sealed === null) return text;
    throw keyUnknown(what, sealed.keyId, []);
  },
  digest: (text) => nodeCrypto().createHash('sha256').update(text).digest('base64url'),
};

/** The id of the key that a stored payload was sealed with; null for one that is plain. */
export function keyIdOf(text: string): string | null {
  return parse(text)?.keyId ?? null;
}

interface Sealed {
  readonly keyId: string;
  readonly bound: string;
  readonly body: string;
}

/** No JSON begins like sealed text. */
function parse(text: string): Sealed | null {
  if (!text.startsWith(PREFIX)) return null;
  const [keyId = '', bound = '', body = ''] = text.slice(PREFIX.length).split(':');
  return { keyId, bound, body };
}

function boundTo(place: PayloadPlace, bound: string): Buffer {
  if (place.role === 'step') return Buffer.from(JSON.stringify(['step', place.id, place.name]));
  if (place.role !== 'input') return Buffer.from(JSON.stringify([place.role, place.id]));
  return Buffer.from(JSON.stringify(['input', place.task, bound === 't' ? null : place.id]));
}

/** As given: the first one is the current key, the last one the oldest. */
function ringOf(keys: readonly EncryptionKey[]): readonly [id: string, key: Buffer][] {
  if (!Array.isArray(keys)) throw optionInvalid('encryption.keys', typeof keys, 'an array of { id, key }');
  if (keys.length === 0) throw optionInvalid('encryption.keys', keys, 'at least one key');
  const ids = new Set<string>();
  return keys.map((entry: EncryptionKey, index) => {
    const field = `encryption.keys[${index}]`;
    // The entry may be the secret itself, which no message may show.
    if (typeof entry !== 'object' || entry === null)
      throw optionInvalid(field, typeof entry, 'an object { id, key }');
    requireOptions(field, entry, KEY_OPTIONS);
    const id = requireName(`${field}.id`, entry.id, 40);
    if (id.includes(':')) throw optionInvalid(`${field}.id`, id, 'an id without a colon');
    if (ids.has(id)) throw optionInvalid(`${field}.id`, id, 'an id no other key has');
    ids.add(id);
    return [id, keyBytes(entry.key, `${field}.key`)];
  });
}

function keyBytes(key: Uint8Array | string, field: string): Buffer {
  if (typeof key !== 'string' && !ArrayBuffer.isView(key))
    throw optionInvalid(field, typeof key, '32 bytes, raw or in base64');
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : Buffer.from(key);
  if (bytes.length === 32) return bytes;
  // The value itself is a secret and stays out of the message.
  throw new LongshoreError(
    'OPTION_INVALID',
    `${field} has ${bytes.length} bytes; expected 32, raw or in base64.`,
    {
      details: { field, bytes: bytes.length },
    },
  );
}

/** Loaded on use: it costs 3 MB that a process without encryption need not have. */
function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}

function hmac(key: Buffer, text: string): Buffer {
  return nodeCrypto().createHmac('sha256', key).update(text).digest();
}

function seal(text: string, key: Buffer, place: Buffer): string {
  const { createCipheriv, randomBytes } = nodeCrypto();
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(place);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
}

function open({ body, keyId }: Sealed, key: Buffer, place: Buffer, what: string): string {
  try {
    const bytes = Buffer.from(body, 'base64');
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = nodeCrypto().createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(place).setAuthTag(tag);
    return (
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch (cause) {
    const message = `${capital(what)} was sealed with key '${keyId}' and does not open here: it was altered or belongs to another job, or the key of that id is another one.`;
    throw new LongshoreError('PAYLOAD_CORRUPT', message, { cause, details: { what, keyId } });
  }
}

function keyUnknown(what: string, id: string, known: readonly string[]): LongshoreError {
  const ring =
    known.length === 0 ? 'this connection has no keys' : `this connection's ring has: ${known.join(', ')}`;
  const message = `${capital(what)} is encrypted with key '${id}'; ${ring}. Pass the key in connect(url, { encryption: { keys } }).`;
  return new LongshoreError('KEY_UNKNOWN', message, { details: { what, keyId: id, known } });
}

function plain(what: string): LongshoreError {
  const message = `${capital(what)} is not encrypted, and this connection takes encrypted payloads only. If it is older than the encryption, or was enqueued by plain SQL, set acceptPlain in connect(url, { encryption: { keys, acceptPlain: true } }); otherwise somebody without the key wrote it.`;
  return new LongshoreError('PAYLOAD_PLAIN', message, { details: { what } });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
