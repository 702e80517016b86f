import { isId } from '../../core/ids.ts';
import { JOB_STATES, type JobState } from '../../core/job-state.ts';

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
} as const;

const HEAD_BYTES = 20;
const HELD = 3;

/** The record of `id`, from `start` to `end`. */
export function readRecord(id: string, bytes: Buffer, start = 0, end = bytes.length): JobRecord {
  const flags = bytes.readUInt16LE(start + 1);
  const stateAndTurn = bytes[start] as number;
  const createdAt = bytes.readUIntLE(start + 14, 6);
  // From here on in the order of the bytes.
  let at = start + HEAD_BYTES;
  const past = (flag: number, length: number): number => {
    const from = at;
    if ((flags & flag) !== 0) at += length;
    return from;
  };
  const priorityAt = past(FLAG.priority, 4);
  const wideAt = past(FLAG.wide, 15);
  const dueAt = past(FLAG.due, 7);
  const triesAt = past(FLAG.tries, 5);
  const startedAt = past(FLAG.started, 6);
  const batchAt = past(FLAG.batch, 6);
  const finishedAt = past(FLAG.finished, 7);
  past(FLAG.ticket, 6);
  const text = (flag: number): string | null => {
    if ((flags & flag) === 0) return null;
    const from = at + 4;
    at = from + bytes.readUInt32LE(at);
    return bytes.toString('utf8', from, at);
  };
  const isWide = (flags & FLAG.wide) !== 0;
  const isTried = (flags & FLAG.tries) !== 0;
  return {
    id,
    seq: bytes.readUIntLE(start + 8, 6),
    state: JOB_STATES[stateAndTurn & 15] as JobState,
    held: stateAndTurn >> 4 === HELD,
    attempt: isTried ? bytes.readUIntLE(triesAt, 3) : 0,
    crashes: isTried ? bytes.readUInt16LE(triesAt + 3) : 0,
    queue: isWide ? bytes.readUInt32LE(wideAt) : bytes.readUInt16LE(start + 3),
    task: isWide ? bytes.readUInt32LE(wideAt + 4) : bytes.readUInt16LE(start + 5),
    attemptsMax: isWide ? readSeven(bytes, wideAt + 8) : (bytes[start + 7] as number),
    priority: (flags & FLAG.priority) === 0 ? 0 : bytes.readInt32LE(priorityAt),
    createdAt,
    dueAt: (flags & FLAG.due) === 0 ? createdAt : readSeven(bytes, dueAt),
    startedAt: (flags & FLAG.started) === 0 ? null : bytes.readUIntLE(startedAt, 6),
    batch: (flags & FLAG.batch) === 0 ? null : bytes.readUIntLE(batchAt, 6),
    finishedAt: (flags & FLAG.finished) === 0 ? null : readSeven(bytes, finishedAt),
    key: text(FLAG.key),
    uniqueKey: text(FLAG.unique),
    progress: text(FLAG.progress),
    result: text(FLAG.result),
    input: (flags & FLAG.input) === 0 ? null : bytes.toString('utf8', at, end),
    cancelRequested: (flags & FLAG.cancel) !== 0,
  };
}

function readSeven(bytes: Buffer, at: number): number {
  return bytes.readUIntLE(at, 6) + (bytes[at + 6] as number) * 2 ** 48;
}

export function idBytes(id: string): Buffer {
  return isId(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : Buffer.from(`\0${id.padEnd(15, '\0')}\0`);
}

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
