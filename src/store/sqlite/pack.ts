import type { DueReceipt } from '../plans.ts';
import type { EnqueueReceipt, JobSpec, Settlement, SettleReceipt } from '../store.ts';
import { type Alike, type AllCreated, packAlike } from './alike.ts';
import { type Completions, packCompletions } from './completions.ts';
import { leasesOf } from './leased.ts';
import type { VerbName } from './verbs.ts';

/**
 * How the large arrays of the hot verbs cross between the threads: by columns, and a column of equal values as that
 * value. A structured clone writes the name of every field of every object; for batches of 500, columns take a third
 * of its time. Jobs that are alike, claimed jobs and runs of completed ones are packed by JSON instead (alike.ts, leased.ts,
 * completions.ts). Short arrays and everything else cross as they are.
 */

interface Codec {
  readonly packInput?: (input: never) => unknown;
  readonly unpackInput?: (packed: never) => unknown;
  readonly packResult?: (result: never) => unknown;
  readonly unpackResult?: (packed: never, input: never) => unknown;
}

const CODECS: Partial<Record<VerbName, Codec>> = {
  enqueue: {
    packInput: packSpecs,
    unpackInput: unpackSpecs,
    packResult: packEnqueued,
    unpackResult: unpackEnqueued,
  },
  // Packed by the verb itself.
  claim: { unpackResult: leasesOf },
  settle: {
    packInput: packSettlements,
    unpackInput: unpackSettlements,
    packResult: packSettled,
    unpackResult: unpackSettled,
  },
  duePlans: { packResult: packDue, unpackResult: unpackDue },
};

export function packInput(verb: VerbName, input: unknown): unknown {
  return CODECS[verb]?.packInput?.(input as never) ?? input;
}

export function unpackInput(verb: VerbName, packed: unknown): unknown {
  return isPacked(packed) ? CODECS[verb]?.unpackInput?.(packed as never) : packed;
}

export function packResult(verb: VerbName, result: unknown): unknown {
  return CODECS[verb]?.packResult?.(result as never) ?? result;
}

/** `input` is what the call was given: what the result repeats of it does not cross again. */
export function unpackResult(verb: VerbName, packed: unknown, input: unknown): unknown {
  return isPacked(packed) ? CODECS[verb]?.unpackResult?.(packed as never, input as never) : packed;
}

/** Not `instanceof Object`: what comes from another thread may be of another realm, as under Jest. */
export function isPacked(value: unknown): value is { readonly packed: number } {
  return typeof value === 'object' && value !== null && 'packed' in value;
}

/** Below this length, packing takes longer than it saves. */
const LENGTH_MIN = 16;

type Column<Value> = { readonly all: Value } | { readonly each: readonly Value[] };

function column<Item, Key extends keyof Item>(items: readonly Item[], key: Key): Column<Item[Key]> {
  const first = (items[0] as Item)[key];
  if (items.every((item) => item[key] === first)) return { all: first };
  return { each: items.map((item) => item[key]) };
}

function at<Value>(values: Column<Value>, index: number): Value {
  return 'all' in values ? values.all : (values.each[index] as Value);
}

/** A packed array: the columns of its items' fields. */
type Packed<Item> = { readonly packed: number } & { readonly [Key in keyof Item]-?: Column<Item[Key]> };

function unpack<Item>(length: number, item: (index: number) => Item): Item[] {
  return Array.from({ length }, (_, index) => item(index));
}

/** All that this store asks for. */
type PackedSpecs = Packed<Omit<JobSpec, 'isNew'>>;

function packSpecs(specs: readonly JobSpec[]): PackedSpecs | Alike | null {
  if (specs.length < LENGTH_MIN) return null;
  const alike = packAlike(specs);
  if (alike !== null) return alike;
  return {
    packed: specs.length,
    id: column(specs, 'id'),
    queue: column(specs, 'queue'),
    task: column(specs, 'task'),
    priority: column(specs, 'priority'),
    input: column(specs, 'input'),
    attemptsMax: column(specs, 'attemptsMax'),
    delayMs: column(specs, 'delayMs'),
    dueAt: column(specs, 'dueAt'),
    unique: column(specs, 'unique'),
    key: column(specs, 'key'),
    meta: column(specs, 'meta'),
  };
}

function unpackSpecs(specs: PackedSpecs | Alike): JobSpec[] | Alike {
  if ('texts' in specs) return specs;
  return unpack(specs.packed, (index) => ({
    id: at(specs.id, index),
    queue: at(specs.queue, index),
    task: at(specs.task, index),
    priority: at(specs.priority, index),
    input: at(specs.input, index),
    attemptsMax: at(specs.attemptsMax, index),
    delayMs: at(specs.delayMs, index),
    dueAt: at(specs.dueAt, index),
    unique: at(specs.unique, index),
    key: at(specs.key, index),
    meta: at(specs.meta, index) ?? null,
  }));
}

/** When all were created; their ids are the caller's own. For jobs that are alike the verb says so itself. */
type PackedEnqueued = Pick<Packed<EnqueueReceipt>, 'packed' | 'state'>;

function packEnqueued(receipts: readonly EnqueueReceipt[] | AllCreated): PackedEnqueued | null {
  if ('packed' in receipts) return receipts;
  if (receipts.length < LENGTH_MIN || receipts.some(({ status }) => status !== 'created')) return null;
  return { packed: receipts.length, state: column(receipts, 'state') };
}

function unpackEnqueued(receipts: PackedEnqueued, specs: readonly JobSpec[]): EnqueueReceipt[] {
  return specs.map(({ id }, index) => ({ status: 'created', id, state: at(receipts.state, index) }));
}

/** When all are completed. */
interface PackedSettlements extends Pick<Packed<Settlement>, 'packed' | 'id' | 'token'> {
  readonly result: Column<string | null>;
}

function packSettlements(settlements: readonly Settlement[]): PackedSettlements | Completions | null {
  if (settlements.length < LENGTH_MIN) return null;
  const completions = packCompletions(settlements);
  if (completions !== null) return completions;
  const completed = settlements
    .map(({ outcome }) => outcome)
    .filter((outcome) => outcome.type === 'completed');
  if (completed.length < settlements.length) return null;
  return {
    packed: settlements.length,
    id: column(settlements, 'id'),
    token: column(settlements, 'token'),
    result: column(completed, 'result'),
  };
}

function unpackSettlements(settlements: PackedSettlements | Completions): Settlement[] | Completions {
  if ('runs' in settlements) return settlements;
  const { packed, id, token, result } = settlements;
  return unpack(packed, (index) => ({
    id: at(id, index),
    token: at(token, index),
    outcome: { type: 'completed', result: at(result, index) },
  }));
}

/** When all were settled. */
interface PackedSettled {
  readonly packed: number;
  readonly state: Column<Extract<SettleReceipt, { status: 'settled' }>['state']>;
}

function packSettled(receipts: readonly SettleReceipt[]): PackedSettled | null {
  if (receipts.length < LENGTH_MIN) return null;
  const settled = receipts.filter((receipt) => receipt.status === 'settled');
  return settled.length < receipts.length
    ? null
    : { packed: receipts.length, state: column(settled, 'state') };
}

function unpackSettled({ packed, state }: PackedSettled): SettleReceipt[] {
  return unpack(packed, (index) => ({ status: 'settled', state: at(state, index) }));
}

/** Plans with their reports, objects of ten fields each: as JSON. */
interface PackedDue {
  readonly packed: number;
  readonly json: string;
}

function packDue(receipt: DueReceipt): PackedDue {
  return { packed: receipt.plans.length, json: JSON.stringify(receipt) };
}

function unpackDue({ json }: PackedDue): DueReceipt {
  return JSON.parse(json) as DueReceipt;
}
