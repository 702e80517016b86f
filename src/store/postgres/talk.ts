import { TALK_CHARS_MAX, TALK_LINES, type TalkLine } from '../talk.ts';
import type { Connections } from './connection.ts';
import { channelOf } from './hints.ts';

/**
 * How texts travel (store/talk.ts): NOTIFY on a channel for each line, in pieces, since a payload has less than 8,000 bytes. A
 * piece is `<instance>:<number>:<index>:<pieces>:<characters>`; those of a text come in order and together, as their
 * transaction sent them.
 */
export function talkChannelOf(schema: string, line: TalkLine): string {
  return `${channelOf(schema)}_${line}`;
}

/** The line of a channel; undefined for the channel of hints. */
export function lineOf(schema: string, channel: string): TalkLine | undefined {
  return TALK_LINES.find((line) => talkChannelOf(schema, line) === channel);
}

/** At most three bytes a character in UTF-8, and what stands before them. */
const PIECE_CHARS = 2_500;

/** Sends one statement at a time, of all that was said meanwhile: what is said later comes later. */
export class TalkSender {
  readonly #connections: Connections;
  readonly #instance: string;
  #queue: { readonly channel: string; readonly piece: string }[] = [];
  #sending: Promise<void> | null = null;
  #last = 0;

  constructor(connections: Connections, instance: string) {
    this.#connections = connections;
    this.#instance = instance;
  }

  say(line: TalkLine, text: string): void {
    if (text.length > TALK_CHARS_MAX || this.#queue.length > QUEUE_MAX) return;
    const channel = talkChannelOf(this.#connections.place.schema, line);
    for (const piece of this.#piecesOf(text)) this.#queue.push({ channel, piece });
    this.#sending ??= this.#send();
  }

  /** Resolves when all is sent. */
  async quiet(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#queue.length > 0) {
      const said = this.#queue;
      this.#queue = [];
      const values = [said.map(({ channel }) => channel), said.map(({ piece }) => piece)];
      await this.#connections.use((lent) => lent.query(NOTIFY_ALL, values)).catch(() => {});
    }
    this.#sending = null;
  }

  #piecesOf(text: string): string[] {
    const parts: string[] = [];
    for (let at = 0; at < text.length || parts.length === 0; ) {
      const end = wholeCharacters(text, at + PIECE_CHARS);
      parts.push(text.slice(at, end));
      at = end;
    }
    const number = ++this.#last;
    return parts.map((part, index) => [this.#instance, number, index, parts.length, part].join(':'));
  }
}

/** A transaction of its own, of this statement alone: it commits without the disk, as nothing is lost with it. */
const NOTIFY_ALL = `SELECT set_config('synchronous_commit', 'off', true), pg_notify(channel, piece)
  FROM unnest($1::text[], $2::text[]) AS said (channel, piece)`;

/** Pieces, 10 MB of them: while the server does not keep up, more is dropped. */
const QUEUE_MAX = 4_000;

/** Not between the halves of a pair of surrogates. */
function wholeCharacters(text: string, end: number): number {
  const isPair = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return isPair ? end - 1 : end;
}

/** Puts the pieces of one line together again. */
export class TalkReader {
  #of = '';
  #parts: string[] = [];

  /** The whole text, where this is its last piece and the others came; null else, also for one's own. */
  read(payload: string, instance: string): string | null {
    const [sender = '', number, index, pieces] = payload.split(':', 4);
    if (sender === instance) return null;
    const of = `${sender}:${number}`;
    if (index === '0') this.#parts = [];
    else if (of !== this.#of || Number(index) !== this.#parts.length) return null;
    this.#of = of;
    this.#parts.push(payload.slice(`${of}:${index}:${pieces}:`.length));
    return this.#parts.length === Number(pieces) ? this.#parts.join('') : null;
  }
}
