import type { JobState } from '../../core/job-state.ts';
import { stateOf } from './states.ts';

/**
 * A job as it is kept: lua/_record.lua describes the bytes and writes them, this reads them. An id that is a UUID is
 * kept as its 16 bytes, any other text between NULs.
 */
export interface JobRecord {
  readonly id: string;
  readonly seq: number;
  readonly state: JobState;
  /** True while the job is ready but waits for its key's turn. */
  readonly held: boolean;
  readonly attempt: number;
  readonly crashes: number;
  /** Numbers of names (lua/_names.lua). */
  readonly queue: number;
  readonly task: number;
  readonly priority: number;
  readonly attemptsMax: number;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly startedAt: number | null;
  /** Whose lease it is (lua/_leases.lua); null unless running. */
  readonly batch: number | null;
  readonly finishedAt: number | null;
  readonly key: string | null;
  readonly uniqueKey: string | null;
  readonly meta: string | null;
  readonly progress: string | null;
  readonly result: string | null;
  readonly input: string | null;
  readonly cancelRequested: boolean;
}

/** Flags, as in lua/_record.lua. */
export const FLAG = {
  due: 1,
  started: 2,
  batch: 4,
  finished: 8,
  ticket: 16,
  key: 32,
  unique: 64,
  progress: 128,
  result: 256,
  input: 512,
  cancel: 1_024,
  wide: 8_192,
  priority: 16_384,
  tries: 32_768,
  attempts: 65_536,
  inner: 131_072,
  meta: 262_144,
} as const;

const FORM_BYTES = 7;
/** Unless a record says otherwise. */
const ATTEMPTS_MAX = 3;
const HELD = 3;

/** What stands before the rest of a record; jobs that were claimed together have the same. */
export interface Front {
  readonly flags: number;
  readonly state: JobState;
  readonly held: boolean;
  readonly attempt: number;
  readonly crashes: number;
  readonly queue: number;
  readonly task: number;
  readonly startedAt: number | null;
  readonly batch: number | null;
  readonly finishedAt: number | null;
  /** Where it ends. */
  readonly end: number;
}

export function readFront(bytes: Buffer, start = 0): Front {
  const bits = bytes.readUIntLE(start, 3);
  const flags = bits >> 5;
  let at = start + FORM_BYTES;
  const past = (flag: number, length: number): number => {
    const from = at;
    if ((flags & flag) !== 0) at += length;
    return from;
  };
  past(FLAG.ticket, 6);
  const triesAt = past(FLAG.tries, 5);
  const startedAt = past(FLAG.started, 6);
  const batchAt = past(FLAG.batch, 6);
  const finishedAt = past(FLAG.finished, 7);
  const isTried = (flags & FLAG.tries) !== 0;
  return {
    flags,
    state: stateOf(bits & 7),
    held: ((bits >> 3) & 3) === HELD,
    attempt: isTried ? bytes.readUIntLE(triesAt, 3) : 0,
    crashes: isTried ? bytes.readUInt16LE(triesAt + 3) : 0,
    queue: bytes.readUInt16LE(start + 3),
    task: bytes.readUInt16LE(start + 5),
    startedAt: (flags & FLAG.started) === 0 ? null : bytes.readUIntLE(startedAt, 6),
    batch: (flags & FLAG.batch) === 0 ? null : bytes.readUIntLE(batchAt, 6),
    finishedAt: (flags & FLAG.finished) === 0 ? null : readSeven(bytes, finishedAt),
    end: at,
  };
}

/** The rest of a record, from `start` to `end`, with its front. */
export function readRest(id: string, front: Front, bytes: Buffer, start: number, end: number): JobRecord {
  const { flags } = front;
  const seqAt = start + ((flags & FLAG.inner) === 0 ? 0 : FORM_BYTES);
  const createdAt = bytes.readUIntLE(seqAt + 6, 6);
  let at = seqAt + 12;
  let last = end;
  const past = (flag: number, length: number): number => {
    const from = at;
    if ((flags & flag) !== 0) at += length;
    return from;
  };
  const text = (flag: number): string | null => {
    if ((flags & flag) === 0) return null;
    const from = at + 4;
    at = from + bytes.readUInt32LE(at);
    return bytes.toString('utf8', from, at);
  };
  const attemptsAt = past(FLAG.attempts, 1);
  const priorityAt = past(FLAG.priority, 4);
  const wideAt = past(FLAG.wide, 15);
  const dueAt = past(FLAG.due, 7);
  const isWide = (flags & FLAG.wide) !== 0;
  const attemptsMax = (flags & FLAG.attempts) === 0 ? ATTEMPTS_MAX : (bytes[attemptsAt] as number);
  const key = text(FLAG.key);
  const uniqueKey = text(FLAG.unique);
  const meta = text(FLAG.meta);
  const progress = text(FLAG.progress);
  let result: string | null = null;
  if ((flags & FLAG.result) !== 0) {
    last = end - 4 - bytes.readUInt32LE(end - 4);
    result = bytes.toString('utf8', last, end - 4);
  }
  return {
    id,
    seq: bytes.readUIntBE(seqAt, 6),
    state: front.state,
    held: front.held,
    attempt: front.attempt,
    crashes: front.crashes,
    queue: isWide ? bytes.readUInt32LE(wideAt) : front.queue,
    task: isWide ? bytes.readUInt32LE(wideAt + 4) : front.task,
    attemptsMax: isWide ? readSeven(bytes, wideAt + 8) : attemptsMax,
    priority: (flags & FLAG.priority) === 0 ? 0 : bytes.readInt32LE(priorityAt),
    createdAt,
    dueAt: (flags & FLAG.due) === 0 ? createdAt : readSeven(bytes, dueAt),
    startedAt: front.startedAt,
    batch: front.batch,
    finishedAt: front.finishedAt,
    key,
    uniqueKey,
    meta,
    progress,
    result,
    input: (flags & FLAG.input) === 0 ? null : bytes.toString('utf8', at, last),
    cancelRequested: (flags & FLAG.cancel) !== 0,
  };
}

export function readRecord(id: string, bytes: Buffer): JobRecord {
  const front = readFront(bytes);
  return readRest(id, front, bytes, front.end, bytes.length);
}

function readSeven(bytes: Buffer, at: number): number {
  return bytes.readUIntLE(at, 6) + (bytes[at + 6] as number) * 2 ** 48;
}

export function idBytes(id: string): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  return writeUuid(id, bytes, 0) ? bytes : Buffer.from(`\0${id.padEnd(15, '\0')}\0`);
}

/** Writes 16 bytes at `at`; false, and nothing that counts, where `id` is none of those core/ids.ts makes. */
export function writeUuid(id: string, bytes: Buffer, at: number): boolean {
  if (id.length !== 36) return false;
  let seen = 0;
  let to = at;
  for (let from = 0; from < 36; from += 2) {
    if (HYPHENS.includes(from)) from += 1;
    const high = id.charCodeAt(from);
    const low = id.charCodeAt(from + 1);
    const byte = ((NIBBLES[high & 127] as number) << 4) | (NIBBLES[low & 127] as number);
    // Beyond a byte for a character that is none of these, ASCII or not.
    seen |= byte | (((high | low) >> 7) << 8);
    bytes[to] = byte;
    to += 1;
  }
  if (seen > 255) return false;
  const isVersion7 =
    ((bytes[at + 6] as number) & 0xf0) === 0x70 && ((bytes[at + 8] as number) & 0xc0) === 0x80;
  return isVersion7 && HYPHENS.every((place) => id.charCodeAt(place) === 45);
}

const HYPHENS = [8, 13, 18, 23];
/** Of the characters 0 to 9 and a to f; 256, more than a byte, for all others. */
const NIBBLES = Uint16Array.from({ length: 128 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return value < 0 ? 256 : value;
});

export function readId(bytes: Buffer, from = 0, to = bytes.length): string {
  if (to - from !== 16) return bytes.toString('utf8', from, to).replaceAll('\0', '');
  return uuidOf(bytes.toString('hex', from, to), 0);
}

/** `count` ids in a row, as lua/_leases.lua `packIds` wrote them: 16 bytes each, or with their lengths where one is longer. */
export function readIds(bytes: Buffer, count: number): string[] {
  const ids: string[] = [];
  if (bytes.length === count * 16) {
    const hex = bytes.toString('hex');
    for (let at = 0; at < hex.length; at += 32) ids.push(uuidOf(hex, at));
    return ids;
  }
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16LE(at);
    ids.push(readId(bytes, at + 2, end));
    at = end;
  }
  return ids;
}

function uuidOf(hex: string, at: number): string {
  const part = (from: number, to: number) => hex.slice(at + from, at + to);
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`;
}
