/**
 * Texts from one opened store to the others of its place, beside the data: whose jobs ended how where nothing of them is kept,
 * and events. A text may come late, twice or never, and only to those that listen when it is said.
 */
export interface Talk {
  /** To all others that listen on this line. Never fails; a text of more than TALK_CHARS_MAX characters is not sent. */
  say(line: TalkLine, text: string): void;
  /** Until the returned function is called. Never keeps the process alive. */
  listen(line: TalkLine, hearer: TalkHearer): () => void;
}

/** `ask` is heard where workers are, `tell` where somebody waits for jobs or their events. */
export const TALK_LINES = ['ask', 'tell'] as const;

export type TalkLine = (typeof TALK_LINES)[number];

export interface TalkHearer {
  heard(text: string): void;
  /** It hears from now on, for the first time or again. */
  opened?(): void;
}

export const TALK_CHARS_MAX = 262_144;

/** Who hears what, for the stores. Hearers do not throw. */
export class TalkHearers {
  readonly #hearers: Readonly<Record<TalkLine, Set<TalkHearer>>> = { ask: new Set(), tell: new Set() };
  readonly #open = new Set<TalkLine>();

  /** The lines that somebody listens on. */
  get lines(): TalkLine[] {
    return TALK_LINES.filter((line) => this.#hearers[line].size > 0);
  }

  add(line: TalkLine, hearer: TalkHearer): void {
    this.#hearers[line].add(hearer);
    if (this.#open.has(line)) queueMicrotask(() => this.#hearers[line].has(hearer) && hearer.opened?.());
  }

  /** False when it was not there. */
  remove(line: TalkLine, hearer: TalkHearer): boolean {
    return this.#hearers[line].delete(hearer);
  }

  heard(line: TalkLine, text: string): void {
    for (const hearer of [...this.#hearers[line]]) hearer.heard(text);
  }

  /** The line is heard from now on. */
  opened(line: TalkLine): void {
    this.#open.add(line);
    for (const hearer of [...this.#hearers[line]]) hearer.opened?.();
  }

  /** The line is heard no more; all of them without one. */
  shut(line?: TalkLine): void {
    if (line === undefined) this.#open.clear();
    else this.#open.delete(line);
  }

  clear(): void {
    for (const line of TALK_LINES) this.#hearers[line].clear();
  }
}
