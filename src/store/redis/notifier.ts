import { type Notifier, TOPICS, type Topic } from '../notifier.ts';
import { TALK_CHARS_MAX, type Talk, type TalkHearer, TalkHearers, type TalkLine } from '../talk.ts';

/** Hints that may have been sent while nothing was heard; `settled` follows by itself. */
const MISSED: readonly Topic[] = TOPICS.filter((topic) => topic !== 'settled');

/** As in messages; lua/_begin.lua writes them. */
const LETTERS: Readonly<Record<Topic, string>> = {
  ready: 'r',
  control: 'c',
  settled: 's',
  plan: 'p',
  planEnded: 'e',
};

/** A connection that hears all topics but `settled`. */
export interface Ear {
  /** Lets it hear `settled` too; resolves when it does. */
  hearSettled(): Promise<void>;
  /** Hears this line, or no more; resolves when it does. */
  hearLine(line: TalkLine, on: boolean): Promise<void>;
  /** Resolves when the server answered. */
  ping(): Promise<unknown>;
  /** Closes the connection at once; idempotent. */
  destroy(): void;
}

/** Opens a connection that hears the store's hints. `onLost` is called once, when it broke by itself. */
export type Listen = (on: {
  readonly message: (text: string) => void;
  readonly said: (line: TalkLine, text: string) => void;
  readonly lost: () => void;
}) => Promise<Ear>;

export interface RedisNotifierOptions {
  readonly listen: Listen;
  /** Tells this opened store's messages from others'. */
  readonly instance: string;
  /** Says a text, with the instance and a space before it, to the others. */
  readonly say?: Talk['say'];
  /** For tests; defaults below. */
  readonly pingMs?: number;
  readonly pongMs?: number;
}

/** How often the connection is tried: one that is half open (a firewall forgot it) would stay silent for ever. */
const PING_MS = 15_000;
const PONG_MS = 5_000;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 10_000;

/**
 * Hints over Redis's publish/subscribe. A message is the letters of the topics, a space and the instance that sent it. `settled` has a channel of its own, heard from the first listener on: workers settle all the time, and only who waits
 * for results should be woken by it.
 * Hints of this store's own verbs are given by `publish`, since its listeners must not wait for the round trip; its own
 * messages are ignored. The connection is opened for the first listener; after each loss, and once when it is there, all
 * topics are published, because hints were missed. No timer and no socket here keeps the process alive.
 */
export class RedisNotifier implements Notifier {
  readonly #options: RedisNotifierOptions;
  readonly #listeners = new Map<Topic, Set<{ readonly call: () => void }>>(
    TOPICS.map((topic) => [topic, new Set()]),
  );
  #ear: Ear | null = null;
  #timer: NodeJS.Timeout | null = null;
  #state: 'idle' | 'open' | 'closed' = 'idle';
  #failures = 0;
  /** Whose `settled` was asked for, and whether it is heard. */
  #asked: Ear | null = null;
  #hearsSettled = false;
  readonly #hearers = new TalkHearers();
  /** That the ear hears, or was asked to. */
  readonly #lines = new Set<TalkLine>();
  readonly talk: Talk | undefined;

  constructor(options: RedisNotifierOptions) {
    this.#options = options;
    const { instance, say } = options;
    if (say === undefined) return;
    this.talk = {
      say: (line, text) => {
        if (this.#state !== 'closed' && text.length <= TALK_CHARS_MAX) say(line, `${instance} ${text}`);
      },
      listen: (line, hearer) => this.#listenOn(line, hearer),
    };
  }

  /** While it is false, polling finds what others did. */
  get crossProcess(): boolean {
    if (this.#state === 'idle') return true;
    return this.#ear !== null && (this.#hearsSettled || !this.#awaitsSettled);
  }

  subscribe(topic: Topic, listener: () => void): () => void {
    const listeners = this.#listeners.get(topic) as Set<{ readonly call: () => void }>;
    const subscription = { call: listener };
    listeners.add(subscription);
    this.#openEar();
    return () => {
      listeners.delete(subscription);
    };
  }

  #listenOn(line: TalkLine, hearer: TalkHearer): () => void {
    this.#hearers.add(line, hearer);
    this.#openEar();
    return () => {
      if (this.#hearers.remove(line, hearer) && this.#ear !== null) this.#hearLines(this.#ear);
    };
  }

  #openEar(): void {
    if (this.#state === 'idle') {
      this.#state = 'open';
      void this.#connect();
    } else if (this.#ear !== null) {
      void this.#hearSettled(this.#ear);
      this.#hearLines(this.#ear);
    }
  }

  #hearLines(ear: Ear): void {
    const wanted = this.#hearers.lines;
    for (const line of wanted) {
      if (this.#lines.has(line)) continue;
      this.#lines.add(line);
      ear.hearLine(line, true).then(
        () => this.#ear === ear && this.#lines.has(line) && this.#hearers.opened(line),
        () => this.#lose(ear),
      );
    }
    for (const line of this.#lines) {
      if (wanted.includes(line)) continue;
      this.#lines.delete(line);
      this.#hearers.shut(line);
      ear.hearLine(line, false).catch(() => this.#lose(ear));
    }
  }

  publish(topics: Iterable<Topic>): void {
    for (const topic of topics)
      for (const { call } of [...(this.#listeners.get(topic) ?? [])]) callSafely(call);
  }

  close(): void {
    this.#state = 'closed';
    for (const listeners of this.#listeners.values()) listeners.clear();
    this.#hearers.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#ear?.destroy();
    this.#ear = null;
  }

  async #connect(): Promise<void> {
    let lost = false;
    let ear: Ear | null = null;
    try {
      ear = await this.#options.listen({
        message: (text) => this.#hear(text),
        said: (line, text) => this.#heard(line, text),
        lost: () => {
          lost = true;
          if (ear !== null) this.#lose(ear);
        },
      });
    } catch {
      // Whatever is wrong, the verbs say it: hints are no place for errors.
      this.#reconnect();
      return;
    }
    if (this.#state === 'closed') return ear.destroy();
    if (lost) return this.#reconnect();
    this.#ear = ear;
    this.#failures = 0;
    this.publish(MISSED);
    void this.#hearSettled(ear);
    this.#hearLines(ear);
    this.#after(this.#options.pingMs ?? PING_MS, () => void this.#check(ear));
  }

  get #awaitsSettled(): boolean {
    return this.#listeners.get('settled')?.size !== 0;
  }

  /** Once for each connection, when somebody listens. */
  async #hearSettled(ear: Ear): Promise<void> {
    if (this.#asked === ear || !this.#awaitsSettled) return;
    this.#asked = ear;
    try {
      await ear.hearSettled();
    } catch {
      this.#lose(ear);
    }
    if (this.#ear !== ear) return;
    this.#hearsSettled = true;
    this.publish(['settled']);
  }

  async #check(ear: Ear): Promise<void> {
    const deaf = setTimeout(() => this.#lose(ear), this.#options.pongMs ?? PONG_MS).unref();
    try {
      await ear.ping();
    } catch {
      this.#lose(ear);
    }
    clearTimeout(deaf);
    if (this.#ear === ear) this.#after(this.#options.pingMs ?? PING_MS, () => void this.#check(ear));
  }

  #lose(ear: Ear): void {
    ear.destroy();
    if (this.#ear !== ear) return;
    this.#ear = null;
    this.#hearsSettled = false;
    this.#lines.clear();
    this.#hearers.shut();
    this.#reconnect();
  }

  /** Twice as long each time, and half of it by chance, so that many clients do not come back at once. */
  #reconnect(): void {
    if (this.#state === 'closed') return;
    const longest = Math.min(BACKOFF_MIN_MS * 2 ** this.#failures, BACKOFF_MAX_MS);
    this.#failures += 1;
    this.#after(longest * (0.5 + Math.random() / 2), () => void this.#connect());
  }

  #after(delayMs: number, call: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = this.#state === 'closed' ? null : setTimeout(call, delayMs).unref();
  }

  #heard(line: TalkLine, text: string): void {
    const end = text.indexOf(' ');
    if (text.slice(0, end) !== this.#options.instance) this.#hearers.heard(line, text.slice(end + 1));
  }

  #hear(text: string): void {
    const [letters = '', instance] = text.split(' ');
    if (instance !== this.#options.instance)
      this.publish(TOPICS.filter((topic) => letters.includes(LETTERS[topic])));
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
