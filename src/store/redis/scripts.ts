import { LongshoreError } from '../../core/errors.ts';
import { TOPICS, type Topic } from '../notifier.ts';
import type { Connection } from './connection.ts';
import { isNoScript, isReply, isUnsent } from './errors.ts';
import { type Argument, REQUEST_BYTES_MAX, requestOf, tooLarge } from './request.ts';
import { type Script, scriptOf } from './script-text.ts';

/**
 * Calls the scripts of lua/ (script-text.ts). A script's text is sent once for each connection: after that, a digest.
 * Were the digest sent first, a server that does not know it yet would carry out the calls behind it before this one. Where a
 * server forgot its scripts meanwhile, it is given the text again.
 */
export class Scripts {
  readonly #connection: Connection;
  readonly #options: ScriptsOptions;
  /** Digests of the scripts that were sent since the connection, of this number, was made. */
  readonly #sent = new Set<string>();
  #connects = 0;

  constructor(connection: Connection, options: ScriptsOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** For those that only read: what cannot be read is told and left as it is, instead of set aside. */
  async look(name: string, args: readonly Argument[] = []): Promise<Look> {
    const [told, , ...values] = await this.#call(name, undefined, args);
    return told < DAMAGED ? { values, damaged: [] } : { values: [], damaged: values.pop() as Buffer[] };
  }

  /** One round trip, or two more where it meets damage. `now` undefined = the server's clock. Rejects with a LongshoreError. */
  async run(name: string, now: number | undefined, args: readonly Argument[] = []): Promise<ScriptReply> {
    const { reads } = scriptOf(name);
    for (let round = 0; ; round += 1) {
      const [told, at, ...values] = await this.#call(name, now, args);
      if (told > 0) this.#options.hear(topicsOf(told));
      if (told < DAMAGED) return { now: at, values };
      const damaged = values.pop() as Buffer[];
      if (!reads) {
        // What was written holds, whatever becomes of this: who meets the same again asks for it again.
        await this.setAside(damaged, now).catch(() => {});
        return { now: at, values };
      }
      if (round === ROUNDS_MAX) throw corrupt(name, damaged.length);
      await this.setAside(damaged, now);
    }
  }

  /** What scripts met and cannot read, as they name it. */
  async setAside(damaged: readonly Buffer[], now: number | undefined): Promise<void> {
    for (let from = 0; from < damaged.length; from += ASIDE_MOST)
      await this.#call('aside', now, damaged.slice(from, from + ASIDE_MOST));
  }

  /** For scripts that may run twice on the same arguments: where the reply was lost, and the server is soon back, it is asked again. */
  async runAgain(
    name: string,
    now: number | undefined,
    args: readonly Argument[] = [],
  ): Promise<ScriptReply> {
    try {
      return await this.run(name, now, args);
    } catch (error) {
      if (!isLost(error) || !(await this.#connection.returned(RETURN_MS))) throw error;
      return this.run(name, now, args);
    }
  }

  /** Rejects with PAYLOAD_TOO_LARGE before anything is sent. */
  async #call(name: string, now: number | undefined, args: readonly Argument[]): Promise<Reply> {
    const { base, instance, place, bytesMax = REQUEST_BYTES_MAX } = this.#options;
    const request = requestOf(args);
    if (request.bytes > bytesMax) throw tooLarge(name, { bytes: request.bytes, bytesMax, place });
    const publish = this.#connection.isCluster ? 'SPUBLISH' : 'PUBLISH';
    const time = now === undefined ? '' : String(Math.floor(now));
    const rest = ['1', base, time, instance, publish + request.pieces, ...request.args];
    return (await this.#evaluate(scriptOf(name), rest)) as Reply;
  }

  async #evaluate(script: Script, rest: readonly Argument[]): Promise<unknown> {
    const { connects } = this.#connection;
    if (connects !== this.#connects) this.#sent.clear();
    this.#connects = connects;
    try {
      if (this.#sent.has(script.digest))
        return await this.#connection.send(['EVALSHA', script.digest, ...rest]);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      this.#sent.clear();
    }
    this.#sent.add(script.digest);
    return this.#connection.send(['EVAL', script.text, ...rest]);
  }
}

/** Nobody knows whether the script ran. */
function isLost(error: unknown): boolean {
  return !(error instanceof LongshoreError || isReply(error) || isUnsent(error));
}

/** Longer than the first attempts to connect again take; callers wait for it. */
const RETURN_MS = 1_000;

/** What a store object's scripts have in common. */
export interface ScriptsOptions {
  readonly base: string;
  readonly instance: string;
  /** The server, as errors name it. */
  readonly place: string;
  /** Default REQUEST_BYTES_MAX. */
  readonly bytesMax?: number | undefined;
  /** Called with the hints of this object's own verbs; its subscriber leaves out what has `instance`. */
  readonly hear: (topics: readonly Topic[]) => void;
}

export interface ScriptReply {
  /** The time the verb went by. */
  readonly now: number;
  /** What the verb answers: strings are Buffers, numbers whole. */
  readonly values: readonly unknown[];
}

/** What a script answers: hints, the time it went by, values. */
type Reply = [told: number, at: number, ...values: unknown[]];

/** What was read; of what cannot be read, what lua/_begin.lua says of it, and then no values. */
export interface Look {
  readonly values: readonly unknown[];
  readonly damaged: readonly Buffer[];
}

/** In that sum: the script met what it cannot read and names it (lua/_begin.lua). */
const DAMAGED = 128;

/** Damaged jobs that one script sets aside: a millisecond each at most. */
const ASIDE_MOST = 20;
/** A script that reads is run so often again after what it met was set aside. */
const ROUNDS_MAX = 50;

function corrupt(name: string, things: number): LongshoreError {
  const message = `The store meets damage that it cannot set aside (${name}: ${things} things). Run longshore doctor.`;
  return new LongshoreError('STORE_CORRUPT', message, { details: { verb: name } });
}

/** From the sum a script gives. */
function topicsOf(told: number): Topic[] {
  return TOPICS.filter((_, index) => (told & (1 << index)) !== 0);
}
