import { type Notifier, TOPICS, type Topic } from '../notifier.ts';
import { type Talk, type TalkHearer, TalkHearers, type TalkLine } from '../talk.ts';
import { channelOf, readPayload } from './hints.ts';
import { openSession, type Session } from './session.ts';
import { lineOf, TalkReader, talkChannelOf } from './talk.ts';
import { type Place, quoted } from './url.ts';

/**
 * Hints, the listeners' side: from this store's own commits by `publish`, from others by LISTEN on a connection of its
 * own, opened with the first listener and closed after the last. A connection that breaks is opened again. Whenever it
 * begins to listen, every topic is published once, since hints may have been missed. Behind PgBouncer in transaction mode there is no
 * LISTEN, and polling must do.
 */
export class PostgresNotifier implements Notifier {
  readonly #listeners = new Map<Topic, Set<{ readonly call: () => void }>>(
    TOPICS.map((topic) => [topic, new Set()]),
  );
  readonly #options: NotifierOptions;
  #count = 0;
  #ear: Ear | null = null;
  /** Ears that are closing. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #hearers = new TalkHearers();
  readonly #readers: Readonly<Record<TalkLine, TalkReader>> = {
    ask: new TalkReader(),
    tell: new TalkReader(),
  };
  readonly talk: Talk | undefined;

  constructor(options: NotifierOptions) {
    this.#options = options;
    const { say, listens } = options;
    if (listens && say !== undefined) this.talk = { say, listen: (...given) => this.#listenOn(...given) };
  }

  /** Also true while nobody listens here: then no hint is missed. */
  get crossProcess(): boolean {
    return this.#options.listens && (this.#ear === null || this.#ear.listening);
  }

  subscribe(topic: Topic, listener: () => void): () => void {
    const listeners = this.#listeners.get(topic) as Set<{ readonly call: () => void }>;
    const subscription = { call: listener };
    listeners.add(subscription);
    if (++this.#count === 1) this.#listen();
    return () => {
      if (listeners.delete(subscription) && --this.#count === 0) this.#leave();
    };
  }

  #listenOn(line: TalkLine, hearer: TalkHearer): () => void {
    this.#hearers.add(line, hearer);
    if (++this.#count === 1) this.#listen();
    else this.#ear?.hearLines();
    return () => {
      if (!this.#hearers.remove(line, hearer)) return;
      if (--this.#count === 0) this.#leave();
      else this.#ear?.hearLines();
    };
  }

  /** To be called after the commit that made the hints true. */
  publish(topics: Iterable<Topic>): void {
    for (const topic of topics)
      for (const { call } of [...(this.#listeners.get(topic) ?? [])]) callSafely(call);
  }

  /** Resolves once the connection is closed. */
  async close(): Promise<void> {
    for (const listeners of this.#listeners.values()) listeners.clear();
    this.#hearers.clear();
    this.#count = 0;
    this.#leave();
    await Promise.all(this.#leaving);
  }

  #listen(): void {
    const { instance, listens, place } = this.#options;
    if (!listens) return;
    this.#ear = new Ear(this.#options, {
      lines: () => this.#hearers.lines,
      connected: () => this.publish(TOPICS),
      opened: (line) => this.#hearers.opened(line),
      shut: (line) => this.#hearers.shut(line),
      heard: (channel, payload) => {
        const line = lineOf(place.schema, channel);
        if (line !== undefined) {
          const text = this.#readers[line].read(payload, instance);
          if (text !== null) this.#hearers.heard(line, text);
          return;
        }
        const hint = readPayload(payload);
        if (hint.instance !== instance) this.publish(hint.topics);
      },
    });
  }

  #leave(): void {
    const ear = this.#ear;
    if (ear === null) return;
    this.#ear = null;
    const left = ear.close().finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}

export interface NotifierOptions {
  readonly place: Place;
  /** Names this opened store in payloads (hints.ts). */
  readonly instance: string;
  /** False behind PgBouncer in transaction mode. */
  readonly listens: boolean;
  /** Says a text to the others. */
  readonly say?: Talk['say'];
  /** How often a quiet connection is asked whether it still stands; default 15 s. */
  readonly checkMs?: number;
  /** How long that may take; default 5 s. */
  readonly checkMaxMs?: number;
}

interface Hears {
  /** It listens from now on, for the first time or again: hints may have been missed. */
  connected(): void;
  heard(channel: string, payload: string): void;
  /** The lines to hear; `opened` says when one is heard. */
  lines(): readonly TalkLine[];
  opened(line: TalkLine): void;
  /** Heard no more; all of them without one. */
  shut(line?: TalkLine): void;
}

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/** A connection that listens, for as long as it is not closed; made anew whenever it breaks. */
class Ear {
  readonly #options: Omit<Required<NotifierOptions>, 'say'>;
  readonly #hears: Hears;
  /** Lines that this connection hears. */
  readonly #lines = new Set<TalkLine>();
  #session: Session | null = null;
  #connecting: Promise<void>;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ checkMs = 15_000, checkMaxMs = 5_000, ...options }: NotifierOptions, hears: Hears) {
    this.#options = { ...options, checkMs, checkMaxMs };
    this.#hears = hears;
    this.#connecting = this.#connect();
  }

  get listening(): boolean {
    return this.#session !== null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#connecting;
    await this.#session?.close();
  }

  /** Never rejects. */
  async #connect(): Promise<void> {
    const { place, checkMs, checkMaxMs } = this.#options;
    let session: Session | null = null;
    try {
      session = await openSession(place, checkMaxMs);
      session.unref();
      session.client.on('notification', ({ channel, payload }) => this.#hears.heard(channel, payload ?? ''));
      session.client.once('end', () => this.#broken());
      await session.query(`LISTEN ${quoted(channelOf(place.schema))}`);
    } catch {
      session?.destroy();
      this.#retry();
      return;
    }
    if (session.lost !== null) return this.#retry();
    this.#session = session;
    this.#failures = 0;
    if (this.#closed) return;
    this.#later(checkMs, () => this.#check());
    this.#hears.connected();
    this.hearLines();
  }

  /** To be called when other lines are to be heard. */
  hearLines(): void {
    const session = this.#session;
    if (session === null) return;
    const wanted = this.#hears.lines();
    for (const line of wanted) if (!this.#lines.has(line)) this.#hear(session, line);
    for (const line of this.#lines) if (!wanted.includes(line)) this.#unhear(session, line);
  }

  #hear(session: Session, line: TalkLine): void {
    this.#lines.add(line);
    session.query(`LISTEN ${quoted(talkChannelOf(this.#options.place.schema, line))}`).then(
      () => this.#session === session && this.#lines.has(line) && this.#hears.opened(line),
      () => session.destroy(),
    );
  }

  #unhear(session: Session, line: TalkLine): void {
    this.#lines.delete(line);
    this.#hears.shut(line);
    session
      .query(`UNLISTEN ${quoted(talkChannelOf(this.#options.place.schema, line))}`)
      .catch(() => session.destroy());
  }

  /** A half-open connection says nothing: it must be asked. One that does not answer in time is destroyed (session.ts). */
  #check(): void {
    this.#session?.query('SELECT 1').then(
      () => this.#later(this.#options.checkMs, () => this.#check()),
      () => this.#session?.destroy(),
    );
  }

  /** Of one that never listened, `connect` takes care. */
  #broken(): void {
    if (this.#session === null) return;
    this.#session = null;
    this.#lines.clear();
    this.#hears.shut();
    this.#retry();
  }

  #retry(): void {
    const longest = Math.min(RETRY_MIN_MS * 2 ** this.#failures++, RETRY_MAX_MS);
    this.#later(longest * (0.5 + Math.random() / 2), () => {
      this.#connecting = this.#connect();
    });
  }

  #later(ms: number, call: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(call, ms).unref();
  }
}

/** A listener that throws is reported as an uncaught exception of its own, and keeps no other from its hint. */
function callSafely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
