import type { UniqueMode } from '../../core/unique.ts';
import type { EnqueueReceipt, JobSpec } from '../store.ts';
import { FLAG, readId } from './record.ts';
import type { Session } from './session.ts';
import { stateOf } from './states.ts';
import { Writer } from './wire.ts';

/**
 * Jobs in. What jobs of a batch have in common (queue, task, priority, attempts, time) goes over once, as a shape. Of the
 * record of a job, all that only the caller knows is written here; lua/_add.lua puts it behind the head. An id that is
 * there already is not added again, so that a batch whose reply was lost is sent once more.
 */
export async function enqueue(
  session: Session,
  specs: readonly JobSpec[],
  now: number | undefined,
): Promise<EnqueueReceipt[]> {
  if (specs.length === 0) return [];
  const shapes = new Shapes();
  const jobs = writeJobs(shapes, specs);
  const { values } = await session.scripts.runAgain('enqueue', now, [shapes.done(), jobs.bytes]);
  const [states, exceptions] = values as [Buffer, Buffer];
  return readReceipts(jobs, states, exceptions);
}

/** Jobs as lua/_add.lua takes them. */
export interface WrittenJobs {
  readonly specs: readonly JobSpec[];
  /** Number of the shape of each. */
  readonly shapes: readonly number[];
  readonly bytes: Buffer;
}

export function writeJobs(shapes: Shapes, specs: readonly JobSpec[]): WrittenJobs {
  const jobs = new Writer(specs.length * 128);
  const numbers = specs.map((spec) => {
    const shape = shapes.numberOf(spec);
    writeJob(jobs, shape, spec);
    return shape;
  });
  return { specs, shapes: numbers, bytes: jobs.done() };
}

/** `states` are those of the shapes. */
export function readReceipts(
  { specs, shapes }: WrittenJobs,
  states: Buffer,
  exceptions: Buffer,
): EnqueueReceipt[] {
  const receipts = specs.map(({ id }, index): EnqueueReceipt => {
    const state = states[(shapes[index] as number) - 1] as number;
    return { status: 'created', id, state: stateOf(state) };
  });
  for (const [index, receipt] of readExceptions(exceptions)) receipts[index] = receipt;
  return receipts;
}

/** In the order of their numbers. */
const STATUSES = ['created', 'existing', 'replaced', 'conflict'] as const;
const MODES: readonly UniqueMode[] = ['reject', 'existing', 'throttle', 'replace', 'debounce'];

function writeJob(jobs: Writer, shape: number, { id, key, unique, meta = null, input }: JobSpec): void {
  jobs.integer(shape, 2).id(id);
  jobs.block(() => {
    if (unique !== null)
      jobs
        .integer(MODES.indexOf(unique.mode), 1)
        .double(unique.periodMs)
        .double(unique.maxWaitMs ?? Number.POSITIVE_INFINITY);
    if (key !== null) jobs.text(key);
    if (unique !== null) jobs.text(unique.key);
    if (meta !== null) jobs.text(meta);
    if (input !== null) jobs.bare(input);
  });
}

/** Gives each kind of job of a call a number, from 1. */
export class Shapes {
  readonly #known = new Map<string, number>();
  readonly #bytes = new Writer(256);
  #last: { readonly spec: JobSpec; readonly number: number } | null = null;

  numberOf(spec: JobSpec): number {
    const number =
      this.#last !== null && isAlike(this.#last.spec, spec) ? this.#last.number : this.#find(spec);
    this.#last = { spec, number };
    return number;
  }

  done(): Buffer {
    return this.#bytes.done();
  }

  #find(spec: JobSpec): number {
    const { queue, task, priority, attemptsMax } = spec;
    const time = timeOf(spec);
    const flags = flagsOf(spec);
    const name = JSON.stringify([queue, task, priority, attemptsMax, time, flags]);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const number = this.#known.size + 1;
    this.#known.set(name, number);
    this.#bytes
      .integer(flags, 3)
      .signed(priority)
      .double(attemptsMax)
      .integer(time.absolute ? 1 : 0, 1)
      .double(time.ms)
      .text(queue)
      .text(task);
    return number;
  }
}

function isAlike(one: JobSpec, other: JobSpec): boolean {
  return (
    one.queue === other.queue &&
    one.task === other.task &&
    one.priority === other.priority &&
    one.attemptsMax === other.attemptsMax &&
    one.delayMs === other.delayMs &&
    one.dueAt === other.dueAt &&
    (one.key === null) === (other.key === null) &&
    (one.input === null) === (other.input === null) &&
    (one.meta == null) === (other.meta == null) &&
    one.unique === null &&
    other.unique === null
  );
}

function flagsOf({ key, unique, meta = null, input }: JobSpec): number {
  return (
    (key === null ? 0 : FLAG.key) |
    (unique === null ? 0 : FLAG.unique) |
    (meta === null ? 0 : FLAG.meta) |
    (input === null ? 0 : FLAG.input)
  );
}

/** Whole ms, rounded up, so that nothing runs early. */
function timeOf({ unique, dueAt, delayMs }: JobSpec): { readonly absolute: boolean; readonly ms: number } {
  if (unique?.mode === 'debounce') return { absolute: false, ms: Math.ceil(unique.periodMs) };
  if (dueAt !== null) return { absolute: true, ms: Math.ceil(dueAt) };
  return { absolute: false, ms: Math.ceil(delayMs) };
}

function* readExceptions(bytes: Buffer): Generator<[index: number, receipt: EnqueueReceipt]> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt16LE(at + 6);
    const status = STATUSES[bytes[at + 4] as number] as EnqueueReceipt['status'];
    const state = stateOf(bytes[at + 5]);
    yield [bytes.readUInt32LE(at), { status, id: readId(bytes, at + 8, end), state }];
    at = end;
  }
}
