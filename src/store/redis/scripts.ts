import { LongshoreError } from '../../core/errors.ts';
import type { Topic } from '../notifier.ts';
import type { Connection } from './connection.ts';
import { isNoScript, isReply, isUnsent } from './errors.ts';
import { type Script, scriptOf } from './script-text.ts';

/**
 * Calls the scripts of lua/ (script-text.ts). A script's text is sent once for each connection: after that, a digest.
 * Were the digest sent first, a server that does not know it yet would carry out the calls behind it before this one. Where a
 * server forgot its scripts meanwhile, it is given the text again.
 */
export class Scripts {
  readonly #connection: Connection;
  readonly #base: string;
  readonly #instance: string;
  readonly #hear: (topics: readonly Topic[]) => void;
  /** Digests of the scripts that were sent since the connection, of this number, was made. */
  readonly #sent = new Set<string>();
  #connects = 0;

  /** `hear` is called with the hints of this object's own verbs; its subscriber leaves out what has `instance`. */
  constructor(
    connection: Connection,
    of: {
      readonly base: string;
      readonly instance: string;
      readonly hear: (topics: readonly Topic[]) => void;
    },
  ) {
    this.#connection = connection;
    this.#base = of.base;
    this.#instance = of.instance;
    this.#hear = of.hear;
  }

  /** For those that only read: what cannot be read is told and left as it is, instead of set aside. */
  async look(name: string, args: readonly Argument[] = []): Promise<Look> {
    const [told, , ...values] = await this.#call(scriptOf(name), undefined, args);
    return told < DAMAGED ? { values, damaged: [] } : { values: [], damaged: values.pop() as Buffer[] };
  }

  /** One round trip, or two more where it meets damage. `now` undefined = the server's clock. Rejects with a LongshoreError. */
  async run(name: string, now: number | undefined, args: readonly Argument[] = []): Promise<ScriptReply> {
    const script = scriptOf(name);
    for (let round = 0; ; round += 1) {
      const [told, at, ...values] = await this.#call(script, now, args);
      if (told > 0) this.#hear(topicsOf(told));
      if (told < DAMAGED) return { now: at, values };
      const damaged = values.pop() as Buffer[];
      if (!script.reads) {
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
    const script = scriptOf('aside');
    for (let from = 0; from < damaged.length; from += ASIDE_MOST)
      await this.#call(script, now, damaged.slice(from, from + ASIDE_MOST));
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
      if (isReply(error) || isUnsent(error) || !(await this.#connection.returned(RETURN_MS))) throw error;
      return this.run(name, now, args);
    }
  }

  #call(script: Script, now: number | undefined, args: readonly Argument[]): Promise<Reply> {
    const publish = this.#connection.isCluster ? 'SPUBLISH' : 'PUBLISH';
    const time = now === undefined ? '' : String(Math.floor(now));
    return this.#evaluate(script, [
      '1',
      this.#base,
      time,
      this.#instance,
      publish,
      ...args,
    ]) as Promise<Reply>;
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

/** Longer than the first attempts to connect again take; callers wait for it. */
const RETURN_MS = 1_000;

export type Argument = string | Buffer;

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

const TOPICS: readonly Topic[] = ['ready', 'control', 'settled'];

/** In that sum: the script met what it cannot read and names it (lua/_begin.lua). */
const DAMAGED = 8;

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
