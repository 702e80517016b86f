/**
 * Time-ordered ids: UUID version 7 (RFC 9562, method 1: a counter in rand_a).
 * Ids made by one process sort in the order they were made, also within a millisecond and when the clock steps back.
 */

const HEX: string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const POOL = new Uint8Array(8 * 512);
const COUNTER_MAX = 0xfff;

let poolUsed = POOL.length;
let lastMs = 0;
let counter = 0;
let prefix = '';

/** A new id, 36 characters, e.g. `0199a1c2-7b3d-7004-9f31-2c6d0e5b8a17`. `now` is in ms since the epoch, fractions aside. */
export function newId(now: number = Date.now()): string {
  const ms = Math.floor(now);
  if (ms > lastMs) startMillisecond(ms);
  else if (counter === COUNTER_MAX) startMillisecond(lastMs + 1);
  else if ((++counter & 0xff) === 0) setPrefix();
  if (poolUsed === POOL.length) refill();
  const at = poolUsed;
  poolUsed += 8;
  return (
    prefix +
    HEX[counter & 0xff] +
    '-' +
    HEX[(byte(at) & 0x3f) | 0x80] +
    HEX[byte(at + 1)] +
    '-' +
    HEX[byte(at + 2)] +
    HEX[byte(at + 3)] +
    HEX[byte(at + 4)] +
    HEX[byte(at + 5)] +
    HEX[byte(at + 6)] +
    HEX[byte(at + 7)]
  );
}

function startMillisecond(ms: number): void {
  lastMs = ms;
  counter = 0;
  setPrefix();
}

/** All that stays the same for 256 ids: the time, the version digit 7 and the counter's high digit. */
function setPrefix(): void {
  const hex = lastMs.toString(16).padStart(12, '0');
  prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7${(counter >>> 8).toString(16)}`;
}

function refill(): void {
  crypto.getRandomValues(POOL);
  poolUsed = 0;
}

function byte(at: number): number {
  return POOL[at] as number;
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether `text` has the form of an id made here. */
export function isId(text: string): boolean {
  return ID.test(text);
}
