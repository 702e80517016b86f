import { setTimeout as pause } from 'node:timers/promises';
import { BATCH_CHARS_MAX, charsOfCall, sumOf } from '../../core/batch.ts';
import { LongshoreError } from '../../core/errors.ts';
import type { Topic } from '../notifier.ts';
import type { ClaimRequest } from '../store.ts';
import type { Connections } from './connection.ts';
import { isConflict, isDisconnect, isReadOnly, sqlState, toStoreError, whereIs } from './errors.ts';
import { Lost } from './lost.ts';
import { merge, type Sizes, split } from './merge.ts';
import { transact, type Work } from './transact.ts';
import type { Place } from './url.ts';
import { type VerbName, verbNamed } from './verbs.ts';

export interface ChannelOptions {
  readonly connections: Connections;
  /** Quoted. */
  readonly schema: string;
  /** Names the store object in notifications. */
  readonly sender: string;
  readonly sizes: Sizes;
  /** Whether a transaction may notify by itself now; `ends` when it is about outcomes. */
  notifies(ends: boolean): boolean;
  committed(topics: ReadonlySet<Topic>, told: boolean): void;
}

/**
 * Where calls become groups. Those of one turn of the event loop go together, in call order, as one transaction; while
 * as many groups are under way as there are connections, more gather. Outcomes and notes keep their order also from
 * turn to turn, so that a note is written before the job ends: of groups with them one is under way at a time.
 */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #lost: Lost;
  #tick: Call[] = [];
  /** Of one turn each. */
  #waiting: Call[][] = [];
  #underWay = 0;
  #ordering = false;
  #onQuiet: (() => void)[] = [];
  /** Runs while calls wait. */
  #expiry: NodeJS.Timeout | null = null;
  readonly #sendMore = (): void => this.#send();

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#lost = new Lost((claims) => this.call('giveBack', claims, undefined) as Promise<string[]>);
  }

  call(verb: VerbName, input: unknown, now: number | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#tick.length === 0) setImmediate(() => this.#endTick());
      this.#tick.push({ verb, input, now, resolve, reject, since: performance.now() });
    });
  }

  /** Resolves when nothing is under way; to be called when nothing more is to come. */
  async quiet(): Promise<void> {
    this.#lost.close();
    if (this.#tick.length + this.#waiting.length + this.#underWay === 0) return;
    await new Promise<void>((resolve) => this.#onQuiet.push(resolve));
  }

  #endTick(): void {
    this.#waiting.push(this.#tick);
    this.#tick = [];
    this.#send();
  }

  #send(): void {
    const { connections } = this.#options;
    while (this.#underWay < connections.places) {
      const group = this.#next();
      if (group.length === 0) break;
      void this.#carry(group);
    }
    if (this.#waiting.length > 0 && this.#underWay >= connections.places) connections.grow(this.#sendMore);
    if (this.#waiting.length > 0)
      this.#expiry ??= setTimeout(() => this.#expire(), connections.place.timeoutMs);
    if (this.#tick.length + this.#waiting.length + this.#underWay > 0) return;
    if (this.#expiry !== null) clearTimeout(this.#expiry);
    this.#expiry = null;
    for (const resolve of this.#onQuiet.splice(0)) resolve();
  }

  /** Calls that have waited for their turn as long as a statement may take are told so; nothing of them was sent. */
  #expire(): void {
    const { place } = this.#options.connections;
    const since = performance.now() - place.timeoutMs;
    const late = this.#waiting.filter((calls) => (calls[0]?.since ?? 0) <= since);
    this.#waiting = this.#waiting.filter((calls) => !late.includes(calls));
    for (const { reject } of late.flat()) reject(noTurn(place));
    this.#expiry = null;
    this.#send();
  }

  /** All that waits, but for turns that have to keep their order and cannot yet, and never more than one group can bear. */
  #next(): Call[] {
    const group: Call[] = [];
    const left: Call[][] = [];
    const several = this.#waiting.length > 1;
    let chars = 0;
    for (const calls of this.#waiting) {
      const blocked = left.length > 0 && isOrdered(calls);
      const isFull = group.length >= CALLS_MAX || chars >= BATCH_CHARS_MAX;
      if (blocked || isFull || (this.#ordering && isOrdered(calls))) left.push(calls);
      else {
        group.push(...calls);
        if (several) chars += sumOf(calls, ({ verb, input }) => charsOfCall(verb, input));
      }
    }
    this.#waiting = left;
    return group;
  }

  async #carry(group: Call[]): Promise<void> {
    const ordered = isOrdered(group);
    this.#underWay += 1;
    if (ordered) this.#ordering = true;
    await this.#perform(group, { again: true });
    this.#underWay -= 1;
    if (ordered) this.#ordering = false;
    this.#send();
  }

  /** Answers every call. When a group fails, each call is done alone, so that only the culprit fails. */
  async #perform(given: readonly Call[], { again, bare = false }: Mode): Promise<void> {
    const group = bare ? given : this.#withGiveBack(given);
    try {
      const values = await this.#attempt(group);
      for (const [index, { resolve }] of group.entries()) resolve(values[index]);
    } catch (error) {
      const told = toStoreError(error, this.#options.connections.place);
      if (again && (isBroken(error) || (isCutShort(error) && mayHaveCommitted(given)))) {
        const repeated = given.filter(isRepeatable).map(asRepeated);
        for (const call of given) if (!isRepeatable(call)) call.reject(told);
        if (repeated.length > 0) await this.#perform(repeated, { again: false, bare });
        return;
      }
      if (group.length === 1 || isUnreachable(error) || isReadOnly(error)) {
        for (const { reject } of group) reject(told);
        return;
      }
      // Of a call that was alone but for what went ahead of it, that may be the culprit: it is looked for again later.
      for (const call of given) await this.#perform([call], { again, bare: given.length === 1 });
    }
  }

  /** What claims that were lost hold is given back first, so that the next one finds it. */
  #withGiveBack(group: readonly Call[]): readonly Call[] {
    const claims = this.#lost.claims;
    const claim = group.find(({ verb }) => verb === 'claim');
    if (claims.length === 0 || claim === undefined) return group;
    const found = (ids: unknown): void => this.#lost.found(ids as string[]);
    const giveBack = { verb: 'giveBack', input: claims, now: claim.now, since: claim.since } as const;
    return [{ ...giveBack, resolve: found, reject: () => {} }, ...group];
  }

  async #attempt(group: readonly Call[]): Promise<unknown[]> {
    const { parts, works } = merge(group, this.#options.sizes);
    const { timeoutMs } = this.#options.connections.place;
    const until = performance.now() + Math.min(FAILOVER_MS, timeoutMs);
    for (let failures = 0; ; failures += 1) {
      try {
        return split(parts, await this.#transact(works));
      } catch (error) {
        if (isReadOnly(error) && performance.now() < until) await pause(FAILOVER_PAUSE_MS);
        else if (!isPassing(error) || failures === CONFLICTS_MAX) throw error;
      }
    }
  }

  async #transact(works: readonly Work[]): Promise<readonly unknown[]> {
    const { connections, schema, sender, committed } = this.#options;
    const claims: { id: string; leaseMs: number }[] = [];
    const notifies = this.#options.notifies(isOrdered(works));
    const claimId = ({ leaseMs }: ClaimRequest): string => {
      const id = crypto.randomUUID();
      claims.push({ id, leaseMs });
      return id;
    };
    try {
      const { values, topics } = await connections.use((lent) =>
        transact(lent, works, { schema, sender, notifies, claimId }),
      );
      committed(topics, notifies);
      return values;
    } catch (error) {
      // What the server refused was undone. Of anything else nobody knows: its answer was lost, or cannot be read.
      if (sqlState(error) === null) this.#lost.add(claims);
      throw error;
    }
  }
}

interface Mode {
  /** May be done once more when the connection breaks. */
  readonly again: boolean;
  /** Nothing goes ahead of it. */
  readonly bare?: boolean;
}

interface Call extends Work {
  /** By performance.now(). */
  readonly since: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How long a server that takes no writes any more is asked again, over new connections, and how often. */
const FAILOVER_MS = 5_000;
const FAILOVER_PAUSE_MS = 100;
/** Of one group, to bound the time of its transaction. */
const CALLS_MAX = 1_000;
/** How often a transaction is done again that stood in another's way. */
const CONFLICTS_MAX = 10;

function noTurn(place: Place): LongshoreError {
  const { timeoutMs } = place;
  return new LongshoreError(
    'STORE_UNAVAILABLE',
    `${whereIs(place)}: the call did not get its turn within ${timeoutMs} ms, since earlier ones take too long. Nothing of it was sent; it may be repeated.`,
    { details: { timeoutMs } },
  );
}

/**
 * Another transaction stood in the way, or the partition of a day was made while a job was on its way to the default
 * one, which takes it no more: check_violation.
 */
function isPassing(error: unknown): boolean {
  return isConflict(error) || sqlState(error) === '23514';
}

/** The connection broke, and what was sent may have been carried out or not. */
function isBroken(error: unknown): boolean {
  return !(error instanceof LongshoreError) && isDisconnect(error);
}

/** A limit of the server's settings, or somebody, ended the statement. */
function isCutShort(error: unknown): boolean {
  return sqlState(error) === '57014' || sqlState(error) === '55P03';
}

/** Of a call that goes alone, the statement may commit on its way; where there is one, its repeat finds what the first try did. */
function mayHaveCommitted([only, other]: readonly Work[]): boolean {
  return only !== undefined && other === undefined && verbNamed(only.verb).repeated !== undefined;
}

/** Trying again would take as long again. */
function isUnreachable(error: unknown): boolean {
  return isBroken(error) || (error instanceof LongshoreError && error.code === 'STORE_UNAVAILABLE');
}

function isOrdered(calls: readonly Work[]): boolean {
  return calls.some(({ verb }) => verb === 'settle' || verb === 'annotate');
}

function isRepeatable({ verb }: Work): boolean {
  return verbNamed(verb).repeatable === true;
}

function asRepeated(call: Call): Call {
  const { repeated } = verbNamed(call.verb);
  return repeated === undefined ? call : { ...call, input: repeated(call.input) };
}
