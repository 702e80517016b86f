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
} as const;

/** Attempts from here on do not fit their three bytes. */
export const ATTEMPTS_WIDE = 0xffffff;

const HEAD_BYTES = 33;
const HELD = 3;

/** Reads jobs one after the other, as lua/_wire.lua `jobBytes` wrote them: id and record, each with its length. */
export function* readJobs(bytes: Buffer): Generator<JobRecord> {
  for (let at = 0; at < bytes.length; ) {
    const idAt = at + 2;
    const recordAt = idAt + bytes.readUInt16LE(at) + 4;
    const end = recordAt + bytes.readUInt32LE(recordAt - 4);
    yield readRecord(readId(bytes, idAt, recordAt - 4), bytes, recordAt, end);
    at = end;
  }
}

/** The record of `id`, from `start` to `end`. */
export function readRecord(id: string, bytes: Buffer, start = 0, end = bytes.length): JobRecord {
  const flags = bytes.readUInt16LE(start + 7);
  const stateAndTurn = bytes[start + 6] as number;
  let at = start + HEAD_BYTES;
  const number = (flag: number, length: 6 | 7): number | null => {
    if ((flags & flag) === 0) return null;
    at += length;
    return bytes.readUIntLE(at - length, 6) + (length === 7 ? (bytes[at - 1] as number) * 2 ** 48 : 0);
  };
  const text = (flag: number): string | null => {
    if ((flags & flag) === 0) return null;
    const from = at + 4;
    at = from + bytes.readUInt32LE(at);
    return bytes.toString('utf8', from, at);
  };
  const createdAt = bytes.readUIntLE(start + 27, 6);
  return {
    id,
    seq: bytes.readUIntLE(start, 6),
    state: JOB_STATES[stateAndTurn & 15] as JobState,
    held: stateAndTurn >> 4 === HELD,
    attempt: bytes.readUIntLE(start + 9, 3),
    crashes: bytes.readUInt16LE(start + 12),
    queue: bytes.readUIntLE(start + 14, 3),
    task: bytes.readUIntLE(start + 17, 3),
    priority: bytes.readInt32LE(start + 20),
    createdAt,
    // From here on in the order of the bytes.
    attemptsMax: number(FLAG.wide, 7) ?? bytes.readUIntLE(start + 24, 3),
    dueAt: number(FLAG.due, 7) ?? createdAt,
    startedAt: number(FLAG.started, 6),
    batch: number(FLAG.batch, 6),
    finishedAt: number(FLAG.finished, 7),
    ...skip(number(FLAG.ticket, 6)),
    key: text(FLAG.key),
    uniqueKey: text(FLAG.unique),
    progress: text(FLAG.progress),
    result: text(FLAG.result),
    input: (flags & FLAG.input) === 0 ? null : bytes.toString('utf8', at, end),
    cancelRequested: (flags & FLAG.cancel) !== 0,
  };
}

/** Read only to get past it. */
function skip(_value: number | null): object {
  return {};
}

export function idBytes(id: string): Buffer {
  return isId(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : Buffer.from(`\0${id.padEnd(15, '\0')}\0`);
}

export function readId(bytes: Buffer, from = 0, to = bytes.length): string {
  if (to - from !== 16) return bytes.toString('utf8', from, to).replaceAll('\0', '');
  const hex = bytes.toString('hex', from, to);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
