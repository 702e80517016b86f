import type { FSWatcher } from 'node:fs';
import { type Notifier, TOPICS, type Topic } from '../notifier.ts';
import { TALK_LINES, type Talk, type TalkHearer, TalkHearers, type TalkLine } from '../talk.ts';
import { watch } from './files.ts';
import { TalkFiles } from './talk.ts';
import { wakeFolder } from './wake.ts';

/**
 * Hints, the listeners' side: from this store's own commits, with their replies; from other processes by watching the
 * folder their stores touch files in, and by the store thread's slower look at the database (wake.ts).
 */
export class SqliteNotifier implements Notifier {
  readonly crossProcess = true;
  readonly #listeners = new Map<Topic, Set<{ readonly call: () => void }>>(
    TOPICS.map((topic) => [topic, new Set()]),
  );
  readonly #file: string;
  readonly #instance: string;
  readonly #onListening: (on: boolean) => void;
  #count = 0;
  #watcher: FSWatcher | null = null;
  readonly #hearers = new TalkHearers();
  readonly #files: TalkFiles;
  readonly talk: Talk;

  /** `onListening` is told when the first listener comes and when the last one goes. */
  constructor(file: string, instance: string, onListening: (on: boolean) => void) {
    this.#file = file;
    this.#instance = instance;
    this.#onListening = onListening;
    this.#files = new TalkFiles(file, instance);
    this.talk = {
      say: (line, text) => this.#files.say(line, text),
      listen: (line, hearer) => this.#listenOn(line, hearer),
    };
  }

  subscribe(topic: Topic, listener: () => void): () => void {
    const listeners = this.#listeners.get(topic) as Set<{ readonly call: () => void }>;
    const subscription = { call: listener };
    listeners.add(subscription);
    if (++this.#count === 1) this.#listen(true);
    return () => {
      if (listeners.delete(subscription) && --this.#count === 0) this.#listen(false);
    };
  }

  #listenOn(line: TalkLine, hearer: TalkHearer): () => void {
    this.#hearers.add(line, hearer);
    if (++this.#count === 1) this.#listen(true);
    return () => {
      if (this.#hearers.remove(line, hearer) && --this.#count === 0) this.#listen(false);
    };
  }

  publish(topics: readonly Topic[]): void {
    for (const topic of topics)
      for (const { call } of [...(this.#listeners.get(topic) ?? [])]) callSafely(call);
  }

  /**
   * Another process committed something. With a folder to watch, `control` comes from there alone: it makes workers beat,
   * a beat is a commit, and so two workers would keep each other beating.
   */
  publishAll(): void {
    this.publish(this.#watcher === null ? TOPICS : TOPICS.filter((topic) => topic !== 'control'));
  }

  close(): void {
    for (const listeners of this.#listeners.values()) listeners.clear();
    this.#hearers.clear();
    this.#files.close();
    if (this.#count > 0) this.#listen(false);
    this.#count = 0;
  }

  #listen(on: boolean): void {
    this.#watcher?.close();
    this.#watcher = on ? this.#watch() : null;
    if (this.#watcher === null) this.#hearers.shut();
    else for (const line of TALK_LINES) this.#hearers.opened(line);
    this.#onListening(on);
  }

  /** Null where watching is not possible; the store thread's look is enough then. */
  #watch(): FSWatcher | null {
    try {
      const watcher = watch(wakeFolder(this.#file), { persistent: false }, (_event, name) =>
        this.#touched(name),
      );
      watcher.on('error', () => {
        watcher.close();
        if (this.#watcher === watcher) this.#watcher = null;
        this.#hearers.shut();
      });
      return watcher;
    } catch {
      return null;
    }
  }

  #touched(name: string | null): void {
    const said = name === null ? null : this.#files.read(name);
    if (said !== null) {
      this.#hearers.heard(said.line, said.text);
      return;
    }
    const [topic, instance] = (name ?? '').split('.');
    if (instance !== this.#instance)
      this.publish(name === null ? TOPICS : TOPICS.filter((one) => one === topic));
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
