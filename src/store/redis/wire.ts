import type { JobChange } from '../../core/settle-rule.ts';
import { idBytes, writeUuid } from './record.ts';
import { stateNumber } from './states.ts';

/** The bytes verbs take and give; lua/_wire.lua is the other end. Grows as it is written to. All numbers little-endian. */
export class Writer {
  #bytes: Buffer;
  #at = 0;

  constructor(bytesExpected = 1_024) {
    this.#bytes = Buffer.allocUnsafe(bytesExpected);
  }

  get length(): number {
    return this.#at;
  }

  /** What was written; the writer must not be used again. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** `bytes` is 1 to 6. */
  integer(value: number, bytes: number): this {
    this.#at = this.#room(bytes).writeUIntLE(value, this.#at, bytes);
    return this;
  }

  /** The highest byte first; `bytes` is 1 to 6. */
  bigEndian(value: number, bytes: number): this {
    this.#at = this.#room(bytes).writeUIntBE(value, this.#at, bytes);
    return this;
  }

  /** Over what was written at `at`: four bytes. */
  integerAt(at: number, value: number): this {
    this.#bytes.writeUInt32LE(value, at);
    return this;
  }

  /** Signed, 32 bits. */
  signed(value: number): this {
    this.#at = this.#room(4).writeInt32LE(value, this.#at);
    return this;
  }

  double(value: number): this {
    this.#at = this.#room(8).writeDoubleLE(value, this.#at);
    return this;
  }

  /** With its length before it. */
  id(id: string): this {
    this.integer(16, 2);
    if (this.uuid(id)) return this;
    this.#at -= 2;
    return this.raw(idBytes(id), 2);
  }

  /** 16 bytes; false, and nothing written, where the id is of another kind. */
  uuid(id: string): boolean {
    const isUuid = writeUuid(id, this.#room(16), this.#at);
    if (isUuid) this.#at += 16;
    return isUuid;
  }

  /** With its length before it. */
  text(text: string | null | undefined): this {
    if (text === null || text === undefined) return this.integer(NOTHING, 4);
    return this.block(() => this.bare(text));
  }

  /** With its length before it and behind it. */
  textBetween(text: string | null): this {
    const from = this.#at;
    this.text(text);
    return text === null ? this : this.integer(this.#at - from - 4, 4);
  }

  /** What `write` writes, with its length before it. */
  block(write: () => void): this {
    const lengthAt = this.#at;
    this.integer(0, 4);
    write();
    this.#bytes.writeUInt32LE(this.#at - lengthAt - 4, lengthAt);
    return this;
  }

  /** Without a length. A character takes at most 3 bytes. */
  bare(text: string): this {
    this.#at += this.#room(text.length * 3).write(text, this.#at);
    return this;
  }

  /** With its length, in so many bytes, before it; 0 for none. */
  raw(bytes: Buffer, lengthBytes: number): this {
    if (lengthBytes > 0) this.integer(bytes.length, lengthBytes);
    this.#at += bytes.copy(this.#room(bytes.length), this.#at);
    return this;
  }

  /** What settle-rule.ts returned. `dueAt` may count from another time, as the script is told. */
  change(change: JobChange): this {
    this.integer(stateNumber(change.state), 1)
      .integer(change.attempt, 3)
      .integer(Math.min(change.crashes, 0xffff), 2);
    this.double(change.dueAt === undefined ? Number.NaN : Math.ceil(change.dueAt));
    this.integer(change.finishedAt === undefined ? 0 : 1, 1);
    return this.text(change.result).text(change.error === undefined ? null : JSON.stringify(change.error));
  }

  #room(bytes: number): Buffer {
    if (this.#at + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
      this.#bytes.copy(larger, 0, 0, this.#at);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** Length of a text that is not there. */
const NOTHING = 0xffffffff;

/** Reads what a script packed, from its first byte on. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** `bytes` is 1 to 6. */
  integer(bytes: number): number {
    this.#at += bytes;
    return this.#bytes.readUIntLE(this.#at - bytes, bytes);
  }

  /** Seven bytes, of which the last one is 0 up to the year 10889. */
  time(): number {
    const at = this.integer(6);
    return at + this.integer(1) * 2 ** 48;
  }

  /** A double; null for NaN. */
  maybe(): number | null {
    this.#at += 8;
    const value = this.#bytes.readDoubleLE(this.#at - 8);
    return Number.isNaN(value) ? null : value;
  }

  /** What has its length before it; null where it is not there. */
  bytes(): Buffer | null {
    const length = this.integer(4);
    if (length === NOTHING) return null;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string | null {
    return this.bytes()?.toString() ?? null;
  }

  /** The text up to the end. */
  rest(): string {
    return this.#bytes.toString('utf8', this.#at);
  }
}
