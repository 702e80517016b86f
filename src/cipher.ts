import { LongshoreError, optionInvalid, requireName } from './core/errors.ts';
import { knownNames, requireOptions } from './core/options.ts';
import type { Cipher } from './core/payload.ts';

/**
 * Payloads encrypted at rest: AES-256-GCM with a random 96-bit nonce for each payload (NIST SP 800-38D), under a key
 * ring. Covers inputs, results, progress and log data. Task and queue names, unique keys, log messages and error
 * texts stay readable, because operators search them.
 */
export interface EncryptionOptions {
  /** The first key encrypts; all decrypt. To rotate, put the new key first and keep the old one until its jobs are gone. */
  readonly keys: readonly EncryptionKey[];
}

export interface EncryptionKey {
  /** Stored with each payload, so that its key is found again; 1 to 40 characters without a colon. */
  readonly id: string;
  /** 32 bytes, raw or in base64. */
  readonly key: Uint8Array | string;
}

const ENCRYPTION_OPTIONS = knownNames<EncryptionOptions>({ keys: true });
const KEY_OPTIONS = knownNames<EncryptionKey>({ id: true, key: true });

const PREFIX = 'sealed:1:';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Throws OPTION_INVALID for an empty ring, a doubled id or a key that is not 32 bytes long. */
export function keyRingCipher(options: EncryptionOptions): Cipher {
  requireOptions('encryption', options, ENCRYPTION_OPTIONS);
  if (!Array.isArray(options.keys))
    throw optionInvalid('encryption.keys', typeof options.keys, 'an array of { id, key }');
  const ring = new Map<string, Buffer>();
  for (const [index, entry] of options.keys.entries()) {
    // What stands there may be the secret itself, which no message may show.
    if (typeof entry !== 'object' || entry === null)
      throw optionInvalid(`encryption.keys[${index}]`, typeof entry, 'an object { id, key }');
    requireOptions(`encryption.keys[${index}]`, entry, KEY_OPTIONS);
    const id = requireName(`encryption.keys[${index}].id`, entry.id, 40);
    if (id.includes(':')) throw optionInvalid(`encryption.keys[${index}].id`, id, 'an id without a colon');
    if (ring.has(id)) throw optionInvalid(`encryption.keys[${index}].id`, id, 'an id no other key has');
    ring.set(id, keyBytes(entry.key, index));
  }
  const [first] = ring;
  if (first === undefined) throw optionInvalid('encryption.keys', options.keys, 'at least one key');
  const [currentId, currentKey] = first;
  return {
    seal: (text) => `${PREFIX}${currentId}:${seal(text, currentKey)}`,
    open(text, what) {
      if (!text.startsWith(PREFIX)) return text;
      const end = text.indexOf(':', PREFIX.length);
      const id = text.slice(PREFIX.length, end);
      const key = ring.get(id);
      if (key === undefined) throw keyUnknown(what, id, [...ring.keys()]);
      return open(text.slice(end + 1), key, what, id);
    },
  };
}

/** The cipher of a connection without keys: it reads plain payloads and says what is missing for sealed ones. */
export const noKeys: Cipher = {
  seal: (text) => text,
  open(text, what) {
    if (!text.startsWith(PREFIX)) return text;
    throw keyUnknown(what, text.slice(PREFIX.length, text.indexOf(':', PREFIX.length)), []);
  },
};

function keyBytes(key: Uint8Array | string, index: number): Buffer {
  if (typeof key !== 'string' && !ArrayBuffer.isView(key))
    throw optionInvalid(`encryption.keys[${index}].key`, typeof key, '32 bytes, raw or in base64');
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : Buffer.from(key);
  if (bytes.length === 32) return bytes;
  // The value itself is a secret and stays out of the message.
  throw new LongshoreError(
    'OPTION_INVALID',
    `encryption.keys[${index}].key has ${bytes.length} bytes; expected 32, raw or in base64.`,
    {
      details: { field: `encryption.keys[${index}].key`, bytes: bytes.length },
    },
  );
}

/** Loaded on use: it costs 3 MB that a process without encryption need not have. */
function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}

function seal(text: string, key: Buffer): string {
  const { createCipheriv, randomBytes } = nodeCrypto();
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
}

function open(sealed: string, key: Buffer, what: string, id: string): string {
  try {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = nodeCrypto().createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return (
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch (cause) {
    const message = `${what.charAt(0).toUpperCase()}${what.slice(1)} was sealed with key '${id}' and does not open with the key of that id: it was altered, or the key was.`;
    throw new LongshoreError('PAYLOAD_CORRUPT', message, { cause, details: { what, keyId: id } });
  }
}

function keyUnknown(what: string, id: string, known: readonly string[]): LongshoreError {
  const ring =
    known.length === 0 ? 'this connection has no keys' : `this connection's ring has: ${known.join(', ')}`;
  const message = `${what.charAt(0).toUpperCase()}${what.slice(1)} is encrypted with key '${id}'; ${ring}. Pass the key in connect(url, { encryption: { keys } }).`;
  return new LongshoreError('KEY_UNKNOWN', message, { details: { what, keyId: id, known } });
}
