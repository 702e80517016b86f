import type { ClaimReceipt, EnqueueReceipt, JobSpec, Lease, Settlement, SettleReceipt } from '../store.ts';
import type { VerbName } from './verbs.ts';

/**
 * How the large arrays of the hot verbs cross between the threads: by columns, and a column of equal values as that
 * value. A structured clone writes the name of every field of every object; for batches of 500, columns take a third
 * of its time. Short arrays and everything else cross as they are.
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
  claim: { packResult: packLeases, unpackResult: unpackLeases },
  settle: {
    packInput: packSettlements,
    unpackInput: unpackSettlements,
    packResult: packSettled,
    unpackResult: unpackSettled,
  },
};

export function packInput(verb: VerbName, input: unknown): unknown {
  return CODECS[verb]?.packInput?.(input as never) ?? input;
}

export function unpackInput(verb: VerbName, packed: unknown): unknown {
  return packed instanceof Object && 'packed' in packed
    ? CODECS[verb]?.unpackInput?.(packed as never)
    : packed;
}

export function packResult(verb: VerbName, result: unknown): unknown {
  return CODECS[verb]?.packResult?.(result as never) ?? result;
}

/** `input` is what the call was given: what the result repeats of it does not cross again. */
export function unpackResult(verb: VerbName, packed: unknown, input: unknown): unknown {
  return packed instanceof Object && 'packed' in packed
    ? CODECS[verb]?.unpackResult?.(packed as never, input as never)
    : packed;
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

function packSpecs(specs: readonly JobSpec[]): Packed<JobSpec> | null {
  if (specs.length < LENGTH_MIN) return null;
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
  };
}

function unpackSpecs(specs: Packed<JobSpec>): JobSpec[] {
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
  }));
}

/** When all were created; their ids are the caller's own. */
type PackedEnqueued = Pick<Packed<EnqueueReceipt>, 'packed' | 'state'>;

function packEnqueued(receipts: readonly EnqueueReceipt[]): PackedEnqueued | null {
  if (receipts.length < LENGTH_MIN || receipts.some(({ status }) => status !== 'created')) return null;
  return { packed: receipts.length, state: column(receipts, 'state') };
}

function unpackEnqueued(receipts: PackedEnqueued, specs: readonly JobSpec[]): EnqueueReceipt[] {
  return specs.map(({ id }, index) => ({ status: 'created', id, state: at(receipts.state, index) }));
}

type PackedClaim = Packed<Lease> & Pick<ClaimReceipt, 'now' | 'nextDueAt'>;

function packLeases({ now, leases, nextDueAt }: ClaimReceipt): PackedClaim | null {
  if (leases.length < LENGTH_MIN) return null;
  return {
    packed: leases.length,
    now,
    nextDueAt,
    id: column(leases, 'id'),
    token: column(leases, 'token'),
    claimedAt: column(leases, 'claimedAt'),
    queue: column(leases, 'queue'),
    task: column(leases, 'task'),
    key: column(leases, 'key'),
    input: column(leases, 'input'),
    attempt: column(leases, 'attempt'),
    attemptsMax: column(leases, 'attemptsMax'),
    crashes: column(leases, 'crashes'),
    priority: column(leases, 'priority'),
    createdAt: column(leases, 'createdAt'),
    dueAt: column(leases, 'dueAt'),
  };
}

function unpackLeases(claim: PackedClaim): ClaimReceipt {
  const leases = unpack(claim.packed, (index) => ({
    id: at(claim.id, index),
    token: at(claim.token, index),
    claimedAt: at(claim.claimedAt, index),
    queue: at(claim.queue, index),
    task: at(claim.task, index),
    key: at(claim.key, index),
    input: at(claim.input, index),
    attempt: at(claim.attempt, index),
    attemptsMax: at(claim.attemptsMax, index),
    crashes: at(claim.crashes, index),
    priority: at(claim.priority, index),
    createdAt: at(claim.createdAt, index),
    dueAt: at(claim.dueAt, index),
  }));
  return { now: claim.now, leases, nextDueAt: claim.nextDueAt };
}

/** When all are completed. */
interface PackedSettlements extends Pick<Packed<Settlement>, 'packed' | 'id' | 'token'> {
  readonly result: Column<string | null>;
}

function packSettlements(settlements: readonly Settlement[]): PackedSettlements | null {
  if (settlements.length < LENGTH_MIN) return null;
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

function unpackSettlements({ packed, id, token, result }: PackedSettlements): Settlement[] {
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
